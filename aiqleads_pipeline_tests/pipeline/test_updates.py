"""What a later request says about a lead reaches it: the lead's story, tonight's score, and who it is known by."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from aiqleads_pipeline.commands.lead import lead_story
from aiqleads_pipeline.doors.plain import plain_keys
from aiqleads_pipeline.doors.standing import Standings
from aiqleads_pipeline.rules.sources import SourceRules, Sources
from aiqleads_pipeline.settings import Settings
from aiqleads_pipeline.stages.current import current_leads
from aiqleads_pipeline.stages.engine import open_engine
from resources.store.intake import LeadIds, NewLead, OnDuplicate, Repeat, take_in

IDS = LeadIds()
LEAD = UUID("00000000-0000-8000-8000-000000000001")
SOURCES = Sources({}, SourceRules(), "")


def say(house, client: str, on_duplicate: OnDuplicate = "update", **row: str) -> tuple[UUID, Repeat | None]:
    """A request about a person, as the desk hands it on."""
    now = datetime.now(UTC)
    keys = plain_keys(row, client, None, "UTC", now)
    assert keys
    lead = NewLead(IDS.next(now), client, client, "api", now, json.dumps(row), keys, on_duplicate)
    with house.outside.store.transaction("test:say") as con:
        [repeat] = take_in(con, [lead])
    return lead.lead_id, repeat


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with open_engine(Settings(HOME=tmp_path_factory.mktemp("engine"))) as con:
        yield con


def overlay(con, given: dict[str, str], *said: dict[str, Any]) -> dict[str, Any]:
    """A lead as it came (an update of nothing: read by the same check) and what was said about it, in turn."""
    empty = ", ".join(
        f"{f'{LEAD!r}'[5:-1]}::UUID AS lead_id" if name == "lead_id" else f"NULL::{kind} AS {name}"
        for name, kind in _validated_columns()
    )
    rows = [
        (f"00000000-0000-8000-8000-0000000001{turn:02}", str(LEAD), "shop", "2026-11-23 12:00:00+00", json.dumps(row))
        for turn, row in enumerate([given, *said])
    ]
    con.execute("CREATE OR REPLACE TEMP TABLE told (update_id UUID, lead_id UUID, source VARCHAR, "
                "received_at TIMESTAMPTZ, content VARCHAR)")  # fmt: skip
    con.executemany("INSERT INTO told VALUES (?, ?, ?, ?, ?)", rows)
    found = current_leads(con, con.sql(f"SELECT {empty}"), con.table("told"), SOURCES)
    [row] = found.fetchall()
    return {name: value for name, value in zip(found.columns, row, strict=True) if value not in (None, [])}


def _validated_columns() -> list[tuple[str, str]]:
    from aiqleads_pipeline.contract import VALIDATED_LEADS

    return [(column.name, column.type) for column in VALIDATED_LEADS.columns]


def test_what_counts_of_an_update(engine):
    came = {"email": "ann@a.com", "last_name": "Birch", "job_title": "CEO", "page_views_count": "5", "consent": "true",
            "phone": "+14155552671", "country": "US", "city": "Reno"}  # fmt: skip
    said = {"email": "ann@b.com", "last_name": "birch", "first_name": "Ann", "job_title": "CFO", "consent": "false",
            "page_views_count": "3", "last_activity_at": "3 days ago", "company_name": "Acme",
            "postal_code": "89501"}  # fmt: skip
    found = overlay(engine, came, said, {"phone": "+1 415 555 2673", "last_name": "Birch", "campaign": "x"})
    assert (found["email"], found["email_domain"], found["phone_e164"]) == ("ann@b.com", "b.com", "+14155552673")
    assert (found["first_name"], found["last_name"], found["job_title"]) == ("Ann", "Birch", "CEO")
    assert (found["consent"], found["page_views_count"], found["campaign"]) == (False, 5, "x")
    assert (found["city"], found["postal_code"], found["company_name"]) == ("Reno", "89501", "Acme")
    assert found["last_activity_at"] == datetime(2026, 11, 20, 12, tzinfo=UTC)  # from when it was said


def test_somebody_elses_facts_fill_nothing(engine):
    found = overlay(
        engine,
        {"email": "info@a.com", "last_name": "Birch", "company_name": "Acme", "country": "US"},
        {"email": "info@a.com", "last_name": "Lee", "first_name": "Bo", "company_name": "Zeta", "employee_count": "9",
         "country": "DE", "city": "Berlin", "message": "Please send an offer"},
    )  # fmt: skip
    assert {"first_name", "employee_count", "city"} & found.keys() == set()
    assert (found["last_name"], found["company_name"], found["country"]) == ("Birch", "Acme", "US")
    assert found["message"] == "Please send an offer"


def test_without_updates_nobody_is_changed(engine):
    engine.execute("CREATE OR REPLACE TEMP TABLE none AS SELECT NULL::UUID AS update_id, NULL::UUID AS lead_id, "
                   "'' AS source, now() AS received_at, '{}' AS content LIMIT 0")  # fmt: skip
    validated = engine.sql(f"SELECT '{LEAD}'::UUID AS lead_id")
    assert current_leads(engine, validated, engine.table("none"), SOURCES).fetchall() == []


def test_an_update_reaches_the_leads_story_and_tonights_score(house):
    csv = "Email,Last Name\nann@updated-one.com,Birch\nbo@updated-two.com,Lee\n"
    summary = house.process("updated.csv", csv, "updated")
    rows = house.rows("validated_leads", summary.batch_id, "email", "lead_id")
    ann, bo = (lead_id for _, lead_id in rows)
    update = {"email": "ann@updated-one.com", "last_name": "Birch", "phone": "+14155550199", "job_title": "CEO",
              "company_name": "Updated One", "employee_count": "900", "budget_usd": "50000"}  # fmt: skip
    _, repeat = say(house, "stepform", **update)
    assert repeat == Repeat(ann, 2, is_update=True)
    # The new number is hers from now on, whoever sends it and how.
    _, again = say(house, "other", "link", phone="+14155550199", last_name="Birch")
    assert again == Repeat(ann, 3)
    story = lead_story(house.outside, str(ann))
    [row] = story["current_leads"]
    assert (row["phone_e164"], row["job_title"], row["email"]) == ("+14155550199", "CEO", "ann@updated-one.com")
    assert [said["job_title"] for said in story["lead_updates"]] == ["CEO"]
    assert "job_title" not in story["validated_leads"][0]  # the batch stays what it was
    assert "current_leads" not in lead_story(house.outside, str(bo))

    assert house.defs.resolve_job_def("rescore_open_leads").execute_in_process(instance=house.instance).success
    [night] = house.outside.lake.batches("open_lead_scores")[-1:]
    with open_engine(house.outside.settings) as con:
        house.outside.lake.attach(con)
        scores = house.outside.lake.read(con, "open_lead_scores", night)
        now = dict(scores.project("lead_id, completeness_score").fetchall())
        assert scores.aggregate("count(*) = count(DISTINCT lead_id)").fetchall() == [(True,)]
    before = dict(house.rows("scored_leads", summary.batch_id, "lead_id", "completeness_score"))
    assert now[ann] > before[ann]
    assert now[bo] == before[bo]
    standings = Standings(house.outside)
    standing = standings.describe(ann, None, sees_all=True)
    standings.close()
    assert standing["updates"]["count"] == 1
    assert standing["score_now"]["lead_score"] != standing["score"]["lead_score"]


def test_nobody_updates_what_another_client_sent(house):
    lead_id, first = say(house, "mine", email="cy@owned-lead.com", last_name="Cedar")
    assert first is None
    _, others = say(house, "theirs", email="cy@owned-lead.com", last_name="Cedar", phone="+14155550187")
    _, own = say(house, "mine", email="cy@owned-lead.com", last_name="Cedar", job_title="CTO")
    assert (others, own) == (Repeat(lead_id, 2), Repeat(lead_id, 2, is_update=True))
    [said] = lead_story(house.outside, str(lead_id))["lead_updates"]
    assert said["client"] == "mine"
