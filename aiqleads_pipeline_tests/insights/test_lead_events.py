"""What happens in leads' lives is told to the webhooks that ask for it: once, to whom it concerns, not too many."""

from __future__ import annotations

from uuid import uuid4

import dagster as dg
import pytest
from sqlalchemy import text

from aiqleads_pipeline import lead_events
from aiqleads_pipeline.automation.telling import build_telling_sensor
from aiqleads_pipeline.lead_events import tell_lead_events
from aiqleads_pipeline.rules.loading import RulesError
from resources.store import lead_events as store_events

HOOK = "  - {name: %s, kind: webhook, url: 'https://receiver.example/', secret: HOOK, leads: false, events: [%s]%s}\n"
NEW = "Full Name,Email,Company\n" + "".join(f"New {i},n{i}@new{i}-company.com,new {i} Ltd\n" for i in range(4))

HAPPENED = (
    "INSERT INTO aiqleads.review_queue "
    "(lead_id, batch_id, reason_code, suggestion, opened_at, resolved_at, team, owner) "
    "VALUES (:lead, 'b', 'no_rule', '{}', :now, :now, 'sales', 'ann')",
    "INSERT INTO aiqleads.outbox "
    "(delivery_id, lead_id, batch_id, destination, priority, state, external_id, created_at, delivered_at) "
    "VALUES (:delivery, :lead, 'b', 'crm', 1, 'delivered', '00Q1', :now, :now)",
    "INSERT INTO aiqleads.delivery_attempts (delivery_id, destination, attempt, outcome, seconds, started_at) "
    "VALUES (:delivery, 'crm', 1, 'delivered', 0.1, :now)",
)


def ask(firm, *hooks: tuple[str, str, str]) -> None:  # type: ignore[no-untyped-def]
    file = firm.outside.settings.rules_dir / "destinations.yaml"
    file.write_text("destinations:\n" + "".join(HOOK % hook for hook in hooks), encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
def begun(firm):  # type: ignore[no-untyped-def]
    """Somebody asks from now on: nothing of before is told."""
    file = firm.outside.settings.rules_dir / "destinations.yaml"
    before = file.read_text(encoding="utf-8")
    ask(firm, ("all", "lead.routed, lead.converted, lead.closed, lead.came_again, batch.done", ""))
    assert tell_lead_events(firm.outside).told == {}
    with firm.outside.store.transaction("test") as con:  # the slack would reach back to what the fixtures did
        con.execute(text("UPDATE aiqleads.batches SET finished_at = finished_at - interval '1 day'"))
        con.execute(text("UPDATE aiqleads.touches SET touched_at = touched_at - interval '1 day'"))
    yield
    file.write_text(before, encoding="utf-8")


def told(firm, type_: str) -> list[tuple[str, dict]]:  # type: ignore[no-untyped-def, type-arg]
    """Destination and event of what was posted of a type, in order."""
    query = (
        "SELECT o.destination, n.body FROM aiqleads.notices n JOIN aiqleads.outbox o ON o.lead_id = n.notice_id "
        "WHERE n.topic = :type ORDER BY n.notice_id, o.destination"
    )
    with firm.outside.store.read() as con:
        return [(row.destination, row.body) for row in con.execute(text(query), {"type": type_})]


def test_a_batch_and_its_leads_are_told_once(firm) -> None:  # type: ignore[no-untyped-def]
    batch = firm.process("new.csv", NEW, "events").batch_id
    assert tell_lead_events(firm.outside).told == {"lead.routed": 4, "batch.done": 1}
    assert tell_lead_events(firm.outside).told == {}, "the slack looks at it again"
    [(_, done)] = told(firm, "batch.done")
    assert (done["subject"], done["data"]["counts"]["received"]) == (batch, 4)
    routed = [event for _, event in told(firm, "lead.routed")]
    leads = {str(row[0]) for row in firm.rows("routed_leads", "lead_id", where=f"batch_id = '{batch}'")}
    assert {event["subject"] for event in routed} == leads
    assert all(event["data"]["owner"] and event["specversion"] == "1.0" for event in routed)
    assert "@" not in str(routed) + str(done)


def test_a_lead_that_comes_again_and_ends_is_told(firm) -> None:  # type: ignore[no-untyped-def]
    lead = firm.lead_id("n1@new1-company.com")
    firm.process("again3.csv", NEW.splitlines()[0] + "\nNew 1,n1@new1-company.com,new 1 Ltd\n", "events")
    ended = "email,result,revenue_usd,closed_at\nn1@new1-company.com,won,900,\nn2@new2-company.com,bounced,,\n"
    firm.process("outcomes3.csv", ended, "outcomes")
    done = tell_lead_events(firm.outside).told
    assert (done["lead.came_again"], done["lead.converted"], done["lead.closed"]) == (1, 1, 1)
    [(_, won)] = told(firm, "lead.converted")
    assert (won["subject"], won["data"]["result"], won["data"]["revenue_usd"]) == (lead, "won", 900)
    [(_, lost)] = told(firm, "lead.closed")
    assert (lost["data"]["result"], lost["data"]["is_bounced"]) == ("returned", True)
    assert [event["subject"] for _, event in told(firm, "lead.came_again")] == [lead]


def test_who_asks_for_a_type_is_told_of_it_and_of_his_teams_and_priorities_only(firm) -> None:  # type: ignore[no-untyped-def]
    teams = {event["data"]["team"] for _, event in told(firm, "lead.routed")}
    other = next(each for each in firm.outside.rules().teams.team_by_id if each not in teams)
    ask(
        firm,
        ("batches", "batch.done", ""),
        ("mine", "lead.routed", f", teams: [{other}]"),
        ("urgent", "lead.routed", ", priorities: [P1]"),
        ("routed", "lead.routed", ""),
    )
    batch = firm.process("new4.csv", NEW.replace("new", "newer").replace("n", "m"), "events").batch_id
    tell_lead_events(firm.outside)
    assert [name for name, event in told(firm, "batch.done") if event["subject"] == batch] == ["batches"]
    routed = [name for name, event in told(firm, "lead.routed") if event["data"]["batch_id"] == batch]
    urgent = firm.rows("routed_leads", "lead_id", where=f"batch_id = '{batch}' AND priority = 'P1'")
    assert (routed.count("routed"), routed.count("urgent"), routed.count("mine")) == (4, len(urgent), 0)


def test_a_lead_that_a_person_gave_away_or_that_arrived_somewhere_is_told(firm) -> None:  # type: ignore[no-untyped-def]
    ask(firm, ("some", "lead.assigned, lead.delivered", ""))
    lead = firm.lead_id("p116@fair116-company.com")
    row = {"lead": lead, "now": firm.outside.settings.now(), "delivery": str(uuid4())}
    with firm.outside.store.transaction("test") as con:
        for said in HAPPENED:
            con.execute(text(said), row)
    assert tell_lead_events(firm.outside).told == {"lead.assigned": 1, "lead.delivered": 1}
    [(_, assigned)], [(_, delivered)] = told(firm, "lead.assigned"), told(firm, "lead.delivered")
    assert assigned["subject"] == delivered["subject"] == row["lead"]
    assert (assigned["data"]["team"], assigned["data"]["owner"]) == ("sales", "ann")
    assert (delivered["data"]["destination"], delivered["data"]["external_id"]) == ("crm", "00Q1")


def test_of_too_many_the_most_urgent_are_told_and_the_others_counted_and_a_kill_changes_nothing(  # type: ignore[no-untyped-def]
    firm, monkeypatch
) -> None:
    monkeypatch.setattr(lead_events, "MOST_EVENTS", 3)
    ask(firm, ("routed", "lead.routed", ""))
    with firm.outside.store.transaction("test") as con:
        con.execute(text("UPDATE aiqleads.batches SET finished_at = finished_at - interval '1 day'"))
    batch = firm.process("new5.csv", NEW.replace("new", "newest").replace("n", "k"), "events").batch_id
    with monkeypatch.context() as killed:
        killed.setattr(lead_events, "post_happenings", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            tell_lead_events(firm.outside)
    until = store_events.told_until(firm.outside.store)
    sensor = build_telling_sensor(firm.outside.settings)
    with dg.build_sensor_context(instance=firm.instance) as context:
        assert "{'lead.routed': 3}" in str(sensor(context))
        assert "nothing to tell" in str(sensor(context))
    assert store_events.told_until(firm.outside.store) > until
    assert len([event for _, event in told(firm, "lead.routed") if event["data"]["batch_id"] == batch]) == 3
    [(name, event)] = told(firm, "events.left_out")
    assert (name, event["data"]) == ("routed", {"type": "lead.routed", "told_count": 3, "left_out_count": 1})


def test_a_type_that_is_none_is_refused(firm) -> None:  # type: ignore[no-untyped-def]
    ask(firm, ("typo", "lead.rooted", ""))
    with pytest.raises(RulesError, match="events"):
        firm.outside.rules()
