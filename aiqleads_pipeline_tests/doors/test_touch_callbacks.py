"""Touches told over HTTP: once, by who may, and the clock stops."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from aiqleads_pipeline_tests.doors.test_permissions import JSON_TYPE, key_of, lead_of


@pytest.fixture
def ask(service):
    def ask(lead_id, body, client="toucher", role="client"):
        headers = JSON_TYPE | {"X-API-Key": key_of(service, role, client)}
        return service.ask("POST", f"/v1/leads/{lead_id}/touches", json.dumps(body), headers)

    return ask


def test_a_touch_is_kept_once_and_stops_the_clock(service, ask):
    lead_id = lead_of(service, "toucher")
    at = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
    with service.store.transaction("test:clock") as con:
        con.execute(
            text(
                "INSERT INTO aiqleads.sla_clocks (lead_id, batch_id, team, owner, priority, sla_minutes, received_at, "
                "routed_at, due_at, next_step_at, had_owners) "
                "VALUES (:lead, 'b', 't', 'o', 'P1', 5, :at, :at, :at, :at, ARRAY['o'])"
            ),
            {"lead": lead_id, "at": at},
        )
    first = ask(lead_id, {"kind": "call", "touched_at": "2026-01-05T11:30:00+01:00"})
    assert (first.status, first.json["is_new"]) == (201, True)
    again = ask(lead_id, {"kind": "call", "touched_at": "2026-01-05T11:30:00+01:00"})
    assert (again.status, again.json["is_new"], again.json["touch_id"]) == (200, False, first.json["touch_id"])
    told = service.ask("GET", "/openapi.json").json["paths"]["/v1/leads/{lead_id}/touches"]["post"]["responses"]
    assert {"200", "201"} <= told.keys()
    ask(lead_id, {"kind": "email", "touched_at": "2026-01-05T09:30:00Z"})  # heard of later, but it came first
    with service.store.read() as con:
        row = con.execute(
            text("SELECT touched_at, next_step_at FROM aiqleads.sla_clocks WHERE lead_id = :l"), {"l": lead_id}
        )
        assert tuple(row.one()) == (at, None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "telepathy"},
        {"kind": "call", "note": "he said"},
        {"kind": "call", "touched_at": "2026-01-05T11:30:00"},
        {"kind": "call", "touched_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()},
    ],
    ids=["empty", "unknown", "more", "without zone", "future"],
)
def test_what_is_no_touch_is_refused(service, ask, body):
    assert ask(lead_of(service, "toucher"), body).status == 400


def test_leads_of_others_and_of_nobody_are_not_there(service, ask):
    assert ask(lead_of(service, "somebody-else"), {"kind": "call"}).status == 404
    assert ask(uuid.uuid4(), {"kind": "call"}, role="admin").status == 404
    assert ask("nonsense", {"kind": "call"}, role="admin").status == 404
    assert ask(lead_of(service, "toucher"), {"kind": "call"}, role="viewer").status == 403
