"""The clock of first touches: the test moves time, the statements find what is overdue."""

import json
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from aiqleads_pipeline.alerting.slas import promises_to, tick_clocks
from aiqleads_pipeline.rules.routing import load_routing
from aiqleads_pipeline.rules.slas import load_slas
from aiqleads_pipeline.rules.teams import load_teams
from aiqleads_pipeline.stages.engine import open_engine
from resources.store import alerts, reviews, slas

TEAMS = """
calendars:
  - {id: office, time_zone: UTC, hours: {mon-fri: 09:00-17:00}, holidays: {country: US}}
  - {id: late, time_zone: UTC, hours: {mon-fri: 12:00-20:00}}
owners:
  - {id: ana, name: Ana, email: ana@example.com, calendar: office}
  - {id: bo, name: Bo, email: bo@example.com, calendar: office}
  - {id: cy, name: Cy, email: cy@example.com, calendar: late}
  - {id: di, name: Di, email: di@example.com}
teams:
  - {id: smb, name: Small, members: [ana, bo, cy], lead: di}
"""
RULES = "{priorities: [P1, P2], tell: [mail], reassign: {after: 30 min, most: 2}}"
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def clocks(world):
    world.write("teams.yaml", TEAMS)
    world.write("slas.yaml", RULES)
    world.now = MONDAY
    return lambda: tick_clocks(world.outside, load_slas(world.rules), load_teams(world.rules), world.now)


def route(world, owner="ana", minutes=60, count=1, batch="b1", priority="P2", at=None):
    """A batch that ended with leads of an owner, as routing leaves it."""
    at = at or world.now
    ids = [uuid.uuid5(uuid.NAMESPACE_URL, f"{batch}{n}") for n in range(count)]
    with open_engine(world.outside.settings) as con:
        world.outside.lake.attach(con)
        values = ", ".join(f"('{each}'::UUID)" for each in ids)
        relation = con.sql(
            f"SELECT lead_id, 'smb' AS team, '{owner}' AS owner, '{priority}' AS priority, "
            f"TIMESTAMPTZ '{at.isoformat()}' AS routed_at, "
            f"TIMESTAMPTZ '{(at + timedelta(minutes=minutes)).isoformat()}' AS sla_due_at "
            f"FROM (VALUES {values}) AS given (lead_id)"
        )
        world.outside.lake.write(relation, "routed_leads", batch)
    world.run(
        "INSERT INTO aiqleads.batches (batch_id, source, channel, state, size_bytes, received_at, finished_at) "
        "VALUES (:batch, 's', 'upload', 'done', 1, :at, :at)",
        batch=batch,
        at=at,
    )
    return ids


def clock_of(world, lead_id):
    return slas.list_clocks(world.outside.store, lead_id=lead_id)[0]


def told(world):
    return [(topic, body["owners"], len(body["leads"])) for topic, body, *_ in world.notices()]


def test_a_broken_promise_is_told_then_given_to_somebody_else_and_never_back(world, clocks):
    (lead,) = route(world)
    assert clocks().armed == 1
    assert clock_of(world, lead)["due_at"] == MONDAY + timedelta(minutes=60)
    world.later(minutes=59)
    assert clocks().escalated == 0
    world.later(minutes=1)
    assert clocks().escalated == 1
    assert told(world) == [("lead.overdue", ["di"], 1)]
    assert [a["subject"] for a in alerts.open_alerts(world.outside.store) if a["code"] == "sla_overdue"] == ["smb"]
    world.later(minutes=30)
    assert clocks().reassigned == 1
    assert clock_of(world, lead)["owner"] == "bo", "cy is not at work before noon"
    assert told(world)[1:] == [("lead.reassigned", ["bo", "di"], 1)]
    assert clock_of(world, lead)["due_at"] == world.now + timedelta(minutes=60)
    assert alerts.open_alerts(world.outside.store) == [], "a new promise"
    world.later(minutes=60)  # 12:30
    clocks()
    world.later(minutes=30)
    clocks()
    assert clock_of(world, lead)["had_owners"] == ["ana", "bo", "cy"]
    world.later(minutes=60)
    clocks()
    world.later(minutes=30)
    assert clocks().reassigned == 0, "twice at most"
    world.later(days=3)
    assert clocks().reassigned == 0
    assert clock_of(world, lead)["reassignments_count"] == 2
    assert clocks().escalated == 0
    moved = dict(world.rows("SELECT owner, given_count FROM aiqleads.owner_loads WHERE batch_id = 'sla'"))
    assert moved == {"ana": -1, "bo": 0, "cy": 1}


def test_nobody_gets_a_lead_outside_of_work_and_the_clock_stands_meanwhile(world, clocks):
    world.now = datetime(2026, 11, 25, 16, 30, tzinfo=UTC)  # Wednesday before Thanksgiving
    (lead,) = route(world, minutes=60)
    clocks()
    assert clock_of(world, lead)["due_at"] == datetime(2026, 11, 27, 9, 30, tzinfo=UTC), "Thursday is a holiday"
    world.now = datetime(2026, 11, 26, 13, 0, tzinfo=UTC)
    assert clocks().escalated == 0
    world.now = datetime(2026, 11, 27, 16, 45, tzinfo=UTC)
    assert clocks().escalated == 1
    world.now = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)
    assert clocks().reassigned == 0
    world.now = datetime(2026, 11, 30, 9, 20, tzinfo=UTC)
    assert clocks().reassigned == 1
    assert clock_of(world, lead)["owner"] == "bo"


def test_who_is_absent_gets_nothing_and_waiting_leads_are_looked_at_when_somebody_opens(world, clocks):
    world.write("teams.yaml", TEAMS.replace("email: bo@example.com,", "email: bo@example.com, active: false,"))
    (lead,) = route(world)
    clocks()
    world.later(minutes=60)
    clocks()
    world.later(minutes=30)
    assert clocks().reassigned == 0
    world.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    assert clocks().reassigned == 1
    assert clock_of(world, lead)["owner"] == "cy"


def test_a_touch_stops_the_clock_whenever_it_is_told(world, clocks):
    first, second, third = route(world, count=3)
    touch(world, first, world.now)  # told before the clock began
    clocks()
    touch(world, second, world.now)
    world.run(
        "INSERT INTO aiqleads.outcomes (lead_id, result, closed_at, batch_id) VALUES (:lead, 'lost', :at, 'o')",
        lead=third,
        at=world.now,
    )
    world.later(minutes=61)
    assert clocks().escalated == 0
    assert {clock_of(world, lead)["touched_at"] for lead in (first, second, third)} == {MONDAY}


def touch(world, lead, at):
    return slas.record_contact(world.outside.store, uuid.uuid4(), lead, "call", at, "crm", world.now)


def test_a_batch_that_runs_again_changes_no_clock_that_runs(world, clocks):
    (lead,) = route(world)
    clocks()
    world.later(minutes=60)
    clocks()
    before = clock_of(world, lead)
    world.run("UPDATE aiqleads.batches SET finished_at = finished_at + interval '1 second'")
    clocks()
    assert clock_of(world, lead) == before


def test_many_overdue_leads_are_shared_out_by_weight_in_one_go(world, clocks):
    world.write("teams.yaml", TEAMS.replace("id: bo, name: Bo,", "id: bo, name: Bo, weight: 2,"))
    route(world, count=90, at=datetime(2026, 11, 23, 11, 0, tzinfo=UTC))
    world.now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    assert clocks().escalated == 90
    world.later(minutes=30)
    assert clocks().reassigned == 90
    owners = Counter(row["owner"] for row in slas.list_clocks(world.outside.store))
    assert owners == {"bo": 60, "cy": 30}
    notices = [body for topic, body, *_ in world.notices() if topic == "lead.reassigned"]
    assert len(notices) == 2, "one for each who got some"
    assert all(len(json.dumps(body)) < 10_000 for body in notices)


def test_who_is_at_capacity_is_passed_over(world, clocks):
    world.write("teams.yaml", TEAMS.replace("id: bo, name: Bo,", "id: bo, name: Bo, max_open_leads: 1,"))
    world.run("INSERT INTO aiqleads.owner_totals (owner, pool, turns_count, given_count) VALUES ('bo', '', 0, 1)")
    (lead,) = route(world, at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
    clocks()
    world.later(minutes=30)
    assert clocks().reassigned == 0
    world.now = datetime(2026, 11, 23, 12, 16, tzinfo=UTC)
    assert clocks().reassigned == 1
    assert clock_of(world, lead)["owner"] == "cy"


ROUTING = """
sla: {P1: 5 min, P2: 1 h}
rules:
  - {id: throwaway, when: {email_kind: disposable}, team: review, sla: {P2: 2 h}}
  - {id: rest, team: smb}
"""


def assign(world, owner, **suggestion):
    """A lead that waited since nine and is given to an owner now."""
    lead = uuid.uuid4()
    world.run(
        "INSERT INTO aiqleads.review_queue (lead_id, batch_id, reason_code, suggestion, opened_at) "
        "VALUES (:lead, 'b0', 'no_capacity', cast(:suggestion AS jsonb), :at)",
        lead=lead, suggestion=json.dumps(suggestion), at=MONDAY - timedelta(hours=1),
    )  # fmt: skip
    rules, routing = load_slas(world.rules), load_routing(world.rules)
    promise_of = promises_to(owner, rules, load_teams(world.rules), routing, world.now)
    assert reviews.assign(world.outside.store, lead, owner, "smb", "me", ["mail"], world.now, promise_of)
    return lead


def test_a_lead_that_a_person_assigned_has_a_clock_from_then_on(world, clocks):
    world.write("routing.yaml", ROUTING)
    held_up, full = assign(world, "ana", rule_id="throwaway", priority="P2"), assign(world, "ana", priority="P2")
    closed = assign(world, "cy", rule_id="rest", priority="P1")
    unknown, cold = assign(world, "ana"), assign(world, "ana", rule_id="rest", priority="P3")
    due = {lead: clock_of(world, lead)["due_at"] for lead in (held_up, full, closed)}
    noon = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    assert due == {held_up: noon, full: MONDAY + timedelta(hours=1), closed: noon + timedelta(minutes=5)}
    assert clock_of(world, full)["received_at"] == MONDAY - timedelta(hours=1)
    assert [slas.list_clocks(world.outside.store, lead_id=lead) for lead in (unknown, cold)] == [[], []]
    [row] = [row for row in reviews.leads_of_batch(world.outside.store, "b0").to_pylist() if row["lead_id"] == closed]
    assert row["sla_due_at"] == due[closed], "so receivers are told"
    world.later(hours=1)
    assert clocks().escalated == 1
    world.later(minutes=30)
    assert clocks().reassigned == 1
    assert clock_of(world, full)["owner"] == "bo"
    promises = slas.current_promises(world.outside.store, [held_up, full])
    assert promises == {str(full): ("bo", world.now + timedelta(hours=1))}
