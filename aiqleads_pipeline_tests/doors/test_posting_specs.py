"""The posting specification of a source: true to its configuration, runnable as it stands, harmless as a page."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from aiqleads_pipeline.doors.example_events import example_event
from aiqleads_pipeline.doors.posting_specs import render_spec
from aiqleads_pipeline.rules.loading import RulesError
from aiqleads_pipeline.rules.sources import load_sources
from aiqleads_pipeline.rules.webhooks import WebhookRules
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline_tests.doors.conftest import Reply, Service, private_folder, serving
from aiqleads_pipeline_tests.doors.test_intake_lives import free_port
from aiqleads_pipeline_tests.doors.webhook_world import SECRETS, SOURCES, contents, rules_in
from resources.store import keys

SIGNED = {
    "form": "NEW", "hub": "HUB", "pay": "PAY", "google": "GOOGLE", "meta": "HUB", "typed": "HUB", "hubspot": "HUB",
    "plain": "HUB", "open": None,
}  # fmt: skip
AWKWARD = """
sources:
  awkward:
    label: <script>alert('1')</script> & "co"
    defaults: {lead_source: "</td><img src=x onerror=alert(1)>"}
    columns: {"<b>Mail</b>": email}
    webhook:
      scheme: shared_key
      secret: NAME
      key: "\\"><i>"
      leads: "$['<u>'][*]"
      fields: {email: "$['`<a href=x>`']"}
"""


@pytest.fixture(scope="module")
def specs(make_database: Callable[[], str]) -> Iterator[Service]:
    """A service that knows its address, as it must behind a proxy."""
    port = free_port()
    with (
        private_folder() as home,
        serving(
            make_database(), home, "--port", str(port),
            RULES_DIR=rules_in(home), PUBLIC_URL=f"http://127.0.0.1:{port}/", **SECRETS,
        ) as service,
    ):  # fmt: skip
        yield service


def key_of(service: Service, client: str, role: str = "client") -> str:
    return keys.create_key(service.store, client, role, datetime.now(UTC)).api_key


def spec(service: Service, source: str, key: str | None) -> Reply:
    return service.get(f"/v1/sources/{source}/spec", key)


@pytest.mark.skipif(not all(map(shutil.which, ("bash", "curl", "openssl"))), reason="needs bash, curl and openssl")
@pytest.mark.parametrize("source", SIGNED)
def test_the_worked_example_works(specs: Service, source: str) -> None:
    page = spec(specs, source, key_of(specs, source))
    assert page.status == 200
    lines = html.unescape(re.findall(r"<pre>(.*?)</pre>", page.body.decode(), re.DOTALL)[0])
    name = SIGNED[source]
    if name is not None:
        assert "the secret you were given" in lines
        secret = SECRETS[f"AIQLEADS_SECRET__{name}"].replace("'", "'\\''")
        lines = lines.replace("the secret you were given", secret)
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{lines} -w '\\n%{{http_code}}'"],
        capture_output=True,
        text=True,
        check=True,
    )
    body, _, status = ran.stdout.rpartition("\n")
    assert status == "202", (lines, body)
    [stored] = contents(specs, Reply(202, page.headers, body.encode()))
    assert stored["email"] == "ann.birch@example-works.com"
    assert stored["last_name"] == "Birch"
    assert "read_error_code" not in stored


def test_only_who_keeps_the_source_sees_it(specs: Service) -> None:
    assert spec(specs, "form", None).status == 401
    assert spec(specs, "form", key_of(specs, "form", "viewer")).status == 403
    assert spec(specs, "form", key_of(specs, "somebody")).status == 404
    assert spec(specs, "somebody", key_of(specs, "somebody")).status == 200
    assert spec(specs, "form", key_of(specs, "boss", "ops")).status == 200
    assert spec(specs, "never_heard_of", key_of(specs, "boss", "ops")).status == 200  # any name works as a source
    assert spec(specs, "%3Cscript%3E", key_of(specs, "boss", "admin")).status == 404
    # `small` belongs to the client `limited`.
    assert spec(specs, "small", key_of(specs, "limited")).status == 200
    assert spec(specs, "small", key_of(specs, "small")).status == 404


def test_no_secret_and_no_script_is_on_a_page(specs: Service, tmp_path: Any) -> None:
    page = spec(specs, "form", key_of(specs, "form"))
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for value in SECRETS.values():
        assert value not in html.unescape(page.body.decode())
    (tmp_path / "sources.yaml").write_text(AWKWARD, encoding="utf-8")
    rendered = render_spec(load_sources(tmp_path).listed["awkward"], Settings())
    tags = set(re.findall(r"<(/?[a-zA-Z]\w*)", rendered))
    assert {tag.strip("/") for tag in tags} <= {
        "html", "head", "meta", "title", "body", "h1", "h2", "p", "code", "pre", "table", "tr", "th", "td",
    }  # fmt: skip
    assert "$[&#x27;&lt;u&gt;&#x27;][*]" in rendered


@pytest.mark.parametrize(
    ("paths", "event"),
    [
        (
            {"leads": "$.x[*]", "fields": {"last_name": "$['n m']", "email": "$.a.b"}},
            {"x": [{"n m": "Birch", "a": {"b": "ann.birch@example-works.com"}}]},
        ),
        (
            {"fields": {"email": '$.q[?@.k=="e"].v', "last_name": "$.q[?@.k=='n'].v"}},
            {"q": [{"k": "e", "v": "ann.birch@example-works.com"}, {"k": "n", "v": "Birch"}]},
        ),
        # What can't be turned round is left out.
        ({"fields": {"email": "$..email", "last_name": "$.n"}, "event_id": "$.id"}, {"n": "Birch", "id": "event-1001"}),
    ],
)
def test_example_events_are_made_from_the_paths(paths: dict[str, Any], event: Any) -> None:
    assert example_event(WebhookRules(scheme="none", **paths)) == event


FAULTS = [
    ("{scheme: smoke}", 4, "scheme"),
    ("{scheme: github}", 4, "needs `secret: NAME`"),
    ("{scheme: none, secret: X}", 4, "has no secret"),
    ("{scheme: basic, secret: X}", 4, "needs `username`"),
    ("{scheme: github, secret: X, username: y}", 4, "only a webhook of the scheme `basic`"),
    ("{scheme: github, secret: [A, B, C, D, E, F]}", 4, "at most 5"),
    ("{scheme: github, secret: 'my secret!'}", 4, "pattern"),
    ("{scheme: none, colour: red}", 4, "Extra inputs"),
    ("\n      scheme: none\n      tolerance_seconds: 4", 6, "greater than or equal to 10"),
    ("\n      scheme: none\n      leads: $.a[", 6, "no JSON path"),
    ("\n      scheme: none\n      fields:\n        email: $.a\n        e_mail: $.b", 8, "no column of the contract"),
    ("\n      scheme: none\n      fields:\n        email: a.b", 7, "no JSON path"),
    ("\n      scheme: none\n      fields: {email: $.a}\n      event_fields:\n        email: $.b", 8, "`fields` too"),
    ("\n      scheme: meta\n      secret: A\n      verify_token: B", 7, "verify_token"),
]


@pytest.mark.parametrize(("webhook", "line", "said"), FAULTS)
def test_faults_of_a_webhook_are_told_with_their_line(tmp_path: Any, webhook: str, line: int, said: str) -> None:
    (tmp_path / "sources.yaml").write_text(f"sources:\n  a:\n    label: A\n    webhook: {webhook}\n", encoding="utf-8")
    with pytest.raises(RulesError) as raised:
        load_sources(tmp_path)
    assert re.match(rf"sources\.yaml:{line}: ", str(raised.value)), raised.value
    assert said in str(raised.value)


def test_the_tests_sources_cover_every_scheme() -> None:
    schemes = set(re.findall(r"scheme: (\w+)", SOURCES))
    assert schemes == set(WebhookRules.model_fields["scheme"].annotation.__args__)  # type: ignore[union-attr]
