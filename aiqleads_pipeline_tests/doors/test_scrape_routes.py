"""`POST /v1/scrapes` on a real service: for operators, once per site, nothing while it is off."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import pytest

from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline_tests.doors.conftest import private_folder, serving
from resources.store import keys, scrapes

RULES = """
enabled: true
contact: https://example.com/crawler
sites:
  on: {hosts: [a.example.com], start: ["https://a.example.com/"], schema_org: {}}
  "off": {hosts: [a.example.com], start: ["https://a.example.com/"], schema_org: {}, enabled: false}
"""


@pytest.fixture(scope="module")
def scraping_service(make_database, tmp_path_factory):
    rules = tmp_path_factory.mktemp("rules")
    for file in Settings().rules_dir.glob("*.yaml"):
        (rules / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (rules / "scrapes.yaml").write_text(RULES)
    with private_folder() as home, serving(make_database(), home, RULES_DIR=rules) as service:
        yield service, rules / "scrapes.yaml"


@pytest.fixture
def ask(scraping_service):
    service, _ = scraping_service

    def ask(method, path, body=None, role="ops"):
        key = keys.create_key(service.store, "acme", role, datetime.now(UTC)).api_key
        headers = {"X-API-Key": key, "Content-Type": "application/json"}
        return service.ask(method, path, body if body is None or isinstance(body, str) else json.dumps(body), headers)

    return ask


def test_a_crawl_is_asked_for_once_and_can_be_followed(ask, scraping_service):
    first = ask("POST", "/v1/scrapes", {"site": "on"})
    assert (first.status, first.json["status"], first.json["site"]) == (202, "waiting", "on")
    again = ask("POST", "/v1/scrapes", {"site": "on"}, role="admin")
    assert again.json["scrape_id"] == first.json["scrape_id"]
    shown = ask("GET", first.json["links"]["self"])
    assert (shown.status, shown.json) == (200, first.json)
    (waiting,) = scrapes.open_scrapes(scraping_service[0].store)
    assert waiting.requested_by == "client:acme"


@pytest.mark.parametrize("role", ["client", "viewer"])
def test_only_operators_may(ask, role):
    assert ask("POST", "/v1/scrapes", {"site": "on"}, role=role).status == 403
    assert ask("GET", f"/v1/scrapes/{uuid.uuid4()}", role=role).status == 403


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [({"site": "nowhere"}, 400, "unknown_site", "/site"), ({}, 400, "missing_value", "/site"),
     ({"site": 5}, 400, "invalid_value", "/site"), ({"site": ""}, 400, "invalid_value", "/site"),
     ({"site": "x" * 100}, 400, "invalid_value", "/site"), ({"site": "\ud800"}, 400, None, None),
     ("{", 400, None, None), ("[" * 5000, 400, None, None), ("null", 400, None, None),
     ('{"site": NaN}', 400, None, None),
     ({"site": "on", "hosts": ["169.254.169.254"]}, 400, "invalid_value", None)],
)  # fmt: skip
def test_what_is_no_request(ask, body, status, code, pointer):
    reply = ask("POST", "/v1/scrapes", body)
    assert reply.status == status, reply.body
    if code is not None:
        assert code in [fault["code"] for fault in reply.json["errors"]]
    if pointer is not None:
        assert [fault["pointer"] for fault in reply.json["errors"]] == [pointer]


@pytest.mark.parametrize("wanted", ["28af1b0b-42cf-468d-b73d-3a456c47562c", "1", "%00", "..", "x" * 500])
def test_a_crawl_that_is_not_there(ask, wanted):
    assert ask("GET", f"/v1/scrapes/{wanted}").status == 404


def test_what_is_off_is_not_crawled(ask, scraping_service):
    assert ask("POST", "/v1/scrapes", {"site": "off"}).code == "scraping_disabled"
    file = scraping_service[1]
    try:
        for text in (RULES.replace("enabled: true", "enabled: false"), "enabled: maybe"):
            file.write_text(text)
            reply = ask("POST", "/v1/scrapes", {"site": "on"})
            assert (reply.status, reply.code) == (409, "scraping_disabled")
    finally:
        file.write_text(RULES)
