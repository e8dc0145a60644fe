"""Events of webhooks: read like the same bytes dropped as a file, unless paths say otherwise; never out of hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aiqleads_pipeline.contract import LEAD_COLUMN_NAMES
from aiqleads_pipeline.doors.lead_json import parse_body, read_lead
from aiqleads_pipeline.rules.sources import SourceRules
from aiqleads_pipeline.rules.webhooks import WebhookRules
from aiqleads_pipeline.stages.reading.events import (
    MOST_LEAD_BYTES,
    EventLead,
    parse_event,
    read_event,
    unreadable_event,
)

NO_PATHS = WebhookRules(scheme="none")
SOURCE = SourceRules(columns={"shoe": "product_interest", "secret note": "ignore"}, defaults={"lead_source": "Web"})
LIKE_FILES: list[Any] = [
    {"email": "a@b.com", "Last Name": "Birch", "shoe": "43", "secret note": "x", "other": {"deep": [1, 2.50, True]}},
    {"lead_id": "L1", "google_key": "k", "is_test": True, "user_column_data": [
        {"column_id": "FULL_NAME", "string_value": "Ann Birch"}, {"column_id": "EMAIL", "string_value": "a@b.com"}]},
    {"id": "1", "field_data": [{"name": "email", "values": ["test@fb.com"]},
                               {"name": "full_name", "values": ["<test lead: dummy data for full_name>"]}]},
    {"form": "7", "leads": [{"email": "a@b.com", "name": "A"}, {"mobile": "1", "phone": "2", "isTest": "1"}]},
    [{"email": "a@b.com", "email2": "c@d.com", "n": 12345678901234567890123, "x": None}],
    {"contact": {"properties": {"email": {"value": "a@b.com"}, "company": {"value": "Works"}}},
     "owner.email": "o@w.com"},
    {"email": "\ud800a@b.com", "last_name": "\u00e9\u4e2d\U0001f600"},
]  # fmt: skip


def of_file(reader: Any, content: str) -> list[dict[str, Any]]:
    """What the pipeline makes of it as a file: columns, extra, code."""
    result = reader.drops(content, rules=SOURCE)
    names = [*LEAD_COLUMN_NAMES, "extra", "read_error_code"]
    rows = result.relation.project(", ".join(f'"{name}"' for name in names)).fetchall()
    result.release()
    found = []
    for row in rows:
        given = {name: value for name, value in zip(names, row, strict=True) if value is not None}
        found.append({**given, **({"extra": json.loads(given["extra"])} if "extra" in given else {})})
    return found


def of_event(
    content: str | bytes, paths: WebhookRules = NO_PATHS, source: SourceRules = SOURCE
) -> list[dict[str, Any]]:
    """What the door makes of it as an event."""
    body = content.encode() if isinstance(content, str) else content
    leads = read_event(parse_event(body), paths, source.columns, source.defaults)
    return [json.loads(lead.content()) for lead in leads]


@pytest.mark.parametrize("number", range(len(LIKE_FILES)))
def test_without_paths_an_event_is_read_like_a_file(reader: Any, number: int) -> None:
    content = json.dumps(LIKE_FILES[number])
    events = of_event(content)
    for event in events:
        event.pop("raw_line", None)
    assert events == of_file(reader, content)


def test_paths_go_first_and_the_rest_is_matched_by_aliases() -> None:
    paths = WebhookRules(
        scheme="none",
        leads="$.batch[*].person",
        fields={"email": "$.ways[?@.kind=='mail'].to", "consent": "$.ok", "message": "$.tags", "phone": "$.none"},
        event_fields={"campaign": "$.about.campaign"},
    )
    person = {"ways": [{"kind": "fax", "to": "1"}, {"kind": "mail", "to": "a@b.com"}], "ok": True, "tags": ["x", "y"]}
    body = {
        "about": {"campaign": 7},
        "batch": [{"person": {**person, "Surname": "Birch", "mobile": "+1"}}, {}, {"person": 3}],
    }
    first, second = of_event(json.dumps(body), paths, SourceRules())
    assert {name: first[name] for name in ("email", "consent", "message", "campaign", "last_name", "phone")} == {
        "email": "a@b.com", "consent": "true", "message": "x; y", "campaign": "7", "last_name": "Birch", "phone": "+1",
    }  # fmt: skip
    assert second["read_error_code"] == "invalid_json"
    [none] = of_event(b'{"other": 1}', paths)
    assert none == {"read_error_code": "no_lead_in_event", "raw_line": '{"other": "1"}'}


def test_what_is_said_twice_is_kept_twice() -> None:
    paths = WebhookRules(scheme="none", fields={"email": "$.way"})
    [lead] = of_event(
        b'{"way": "a@b.com", "email": "c@d.com", "last_name": "A", "last_name": "B"}', paths, SourceRules()
    )
    assert (lead["email"], lead["last_name"]) == ("a@b.com", "A")
    assert lead["extra"] == {"way": "a@b.com", "email": "c@d.com", "last_name (2)": "B"}


@pytest.mark.parametrize("flag", ["is_test", "isTest", "IS_TEST_LEAD"])
@pytest.mark.parametrize("value", [True, "true", "TRUE", 1, "1"])
def test_flags_of_test_leads(flag: str, value: Any) -> None:
    for event in (
        {"email": "a@b.com", flag: value},
        {flag: value, "items": [{"email": "a@b.com"}]},
        {"data": {"email": "a@b.com", flag: value}},
    ):
        assert [lead["read_error_code"] for lead in of_event(json.dumps(event))] == ["test_lead"], event
    paths = WebhookRules(scheme="none", leads="$.items[*]")
    assert of_event(json.dumps({flag: value, "items": [{}]}), paths)[0]["read_error_code"] == "test_lead"
    for other in (False, "false", 0, None, "no", ""):
        assert "read_error_code" not in of_event(json.dumps({"email": "a@b.com", flag: other}))[0]


SPREADING = [
    b'{"' + b"k" * 100_000 + b'":{' + b",".join(b'"a%d":1' % n for n in range(10_000)) + b"}}",
    b"{" + b",".join([b'"a":1'] * 40_000) + b"}",
    b'{"x":[' + b",".join([b'{"name":"a","value":1}'] * 11_000) + b"]}",
    b'{"x":[' + b",".join([b'{"name":"a","value":1,"more":[]}'] * 8_000) + b"]}",
    b'{"big":"' + b"x" * 60_000 + b'","x":[' + b",".join([b'{"email":"a@b.c"}'] * 1000) + b"]}",
    b'{"x":' * 900 + b"1" + b"}" * 900,
    b"[" * 900 + b"1" + b"]" * 900,
]


@pytest.mark.parametrize("number", range(len(SPREADING)))
def test_an_event_costs_no_more_than_in_proportion(number: int) -> None:
    body = SPREADING[number]
    leads = read_event(parse_event(body), WebhookRules(scheme="none"), {}, {})
    stored = sum(len(lead.content()) for lead in leads)
    assert stored <= 8_000_000
    assert max(len(lead.content().encode()) for lead in leads) <= 2 * MOST_LEAD_BYTES


def test_bodies_that_are_no_json_are_kept_as_they_came() -> None:
    assert unreadable_event(b"\xef\xbb\xbfhello") == EventLead(code="invalid_json", raw="hello")
    assert unreadable_event(b"a\xffb") == EventLead(code="undecodable_text", raw="a\\xffb")
    assert len(json.loads(unreadable_event(b"x" * 200_000).content())["raw_line"]) == 65_536


@pytest.mark.parametrize("number", [0, 2, 3])
def test_a_lead_of_the_api_is_held_to_the_same(number: int) -> None:
    lead = read_lead(parse_body(SPREADING[number]))
    assert [error["code"] for error in lead.errors] == ["too_many_members"]
    assert lead.extra == {}
