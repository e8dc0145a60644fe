import urllib.request

from aiqleads_pipeline_tests.sandbox.fixtures import running_sandbox, sandbox  # noqa: F401


def test_the_fixture_starts_one(sandbox):  # noqa: F811
    page = urllib.request.urlopen(sandbox.page_url).read().decode()
    assert "The sandbox" in page and "Salesforce" in page
