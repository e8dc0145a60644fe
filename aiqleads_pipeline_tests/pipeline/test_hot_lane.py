"""Leads that somebody waits for: decided at once, and the ordinary run of their batch says the very same."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from aiqleads_pipeline.automation import hot_run
from aiqleads_pipeline.automation.running import run_batch
from aiqleads_pipeline.doors.hot_lane import read_wait
from aiqleads_pipeline.doors.problems import Problem
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline_tests.pipeline.conftest import House
from resources.store import drops
from resources.store.intake import LeadIds, NewLead, take_in
from resources.store.leases import live_leases

LOG = logging.getLogger("test")
EXPIRE = text("UPDATE aiqleads.leases SET expires_at = now() - interval '1 second' WHERE name = :name")
KILLED_LANE = """
import logging, sys, time
from uuid import UUID
from aiqleads_pipeline.automation import hot_run
from aiqleads_pipeline.outside import open_outside
from aiqleads_pipeline.stages.engine import open_engine

step, source, *lead_ids = sys.argv[1:]
name = "_commit_routing" if step == "routing" else "_call"
real = getattr(hot_run, name)

def call(*arguments):
    if step != "routing" and arguments[0].op.name != step:
        return real(*arguments)
    real(*arguments)
    print("here", flush=True)
    time.sleep(600)

setattr(hot_run, name, call)
outside = open_outside()
with open_engine(outside.settings) as con:
    hot_run.decide_awaited(outside, con, source, [UUID(lead_id) for lead_id in lead_ids], logging.getLogger("lane"))
"""
IDS = LeadIds()
# None of these columns is a moment of the run itself.
TABLES = (
    "raw_leads",
    "rejected_leads",
    "duplicate_leads",
    "validated_leads",
    "enriched_leads",
    "scored_leads",
    "classified_leads",
    "routed_leads",
)
AWKWARD: tuple[dict[str, str], ...] = (
    {"last_name": "Birch", "email": "ann@birch-and-sons.com", "country": "US", "phone": "(415) 555-2671"},
    {"full_name": "O'Neil, Séan", "email": "SEAN@Oneil.ie", "country": "Ireland", "job_title": "VP, Sales & Marketing"},
    {"company_name": "株式会社テスト", "email": "info@test-kk.co.jp", "country": "JP", "message": "見積もり"},
    {"last_name": "Null", "phone": "+49 151 12345678", "annual_revenue_usd": "1200000", "employee_count": "250"},
    {"last_name": "Tab\tand\\slash", "email": "x@münchen.de", "created_at": "2026-11-20T10:00:00+02:00"},
    {"last_name": "Free", "email": "someone@gmail.com", "postal_code": "94105", "budget_usd": "0"},
    {"last_name": "Days", "email": "d@days.example.com", "last_activity_at": "3 days ago", "consent": "yes"},
    {
        "last_name": 'Quote"d',
        "email": "q@quoted.org",
        "website": "https://www.shop.quoted.co.uk/a?b=c",
        "city": "Leeds",
    },
    # Telephones that are wrong, odd, or all there is.
    {"last_name": "Short", "email": "short@phones-one.com", "phone": "12", "country": "US"},
    {"last_name": "Words", "email": "words@phones-two.com", "phone": "call my office"},
    {"last_name": "Zeros", "email": "zeros@phones-three.com", "phone": "0000000000", "country": "DE"},
    {"last_name": "Extension", "email": "ext@phones-four.com", "phone": "+1 415 555 2672 ext. 12"},
    {"last_name": "Local", "email": "local@phones-five.de", "phone": "030 901820", "country": "Germany"},
    {"last_name": "Nowhere", "email": "nowhere@phones-six.com", "phone": "+999 1234567", "country": "FR"},
    {"last_name": "Digits", "phone": "+٤٤ ٢٠ ٧٩٤٦ ٠٩٥٨", "email": "digits@phones-seven.com"},
    {"company_name": "Only A Phone Ltd", "phone": "+442079460959"},
    {"phone": "+33 1 42 68 53 00"},
    {"last_name": "Eleven", "phone": "001 212 555 0187", "country": "Canada"},
    # Places that are not, or not on this earth.
    {"last_name": "Atlantis", "email": "a@places-one.com", "country": "Atlantis", "region": "Deep", "postal_code": "0"},
    {"last_name": "Swapped", "email": "b@places-two.com", "country": "CA", "region": "CA", "postal_code": "94107"},
    {"last_name": "Kosovo", "email": "c@places-three.com", "country": "XK", "city": "Pristina"},
    {"last_name": "Lower", "email": "d@places-four.com", "country": "united   states", "region": "new york"},
    {"last_name": "Zip", "email": "e@places-five.com", "postal_code": "K1A 0B1"},
    {"last_name": "Namibia", "email": "f@places-six.com", "country": "NA"},
    # The same person again, among those who wait.
    {"last_name": "Twin", "email": "twin@again-and-again.com", "phone": "+1 415 555 2690"},
    {"last_name": "Twin", "email": "TWIN@again-and-again.com", "job_title": "CEO"},
    {"full_name": "T Twin", "phone": "(415) 555-2690", "country": "US"},
    {"external_id": "E-1", "last_name": "External", "email": "one@external-ids.com"},
    {"external_id": "E-1", "last_name": "Other", "email": "two@external-ids.com"},
    {"first_name": "Ann", "last_name": "Fuzzy", "company_name": "Fuzzy Works Inc", "email": "ann@fuzzy-works.com"},
    {"first_name": "Ann", "last_name": "Fuzzy", "company_name": "Fuzzy Works, Inc.", "email": "a.fuzzy@gmail.com"},
    # People who are known already.
    {"last_name": "Known", "email": "known@was-here-before.com", "message": "Me again"},
    {"last_name": "Known", "phone": "+1 415 555 2699", "budget_usd": "900000"},
    # Texts.
    {"last_name": 'Lines\nin "quotes", and\r\ncommas', "email": "lines@text-one.com", "message": 'a\n"b"\n,c\n'},
    {"last_name": "Zoë\u0301 Ångström", "email": "zoe@text-two.se", "company_name": "Ångström & Söner AB"},
    {"last_name": "👩‍💻🏳️‍🌈", "email": "emoji@text-three.com", "company_name": "🚀 Inc"},
    {"last_name": "\u202eevil", "email": "rtl@text-four.com", "full_name": "\u200bAnn\u200b \ufeffBirch"},
    {"last_name": "=cmd|'/c calc'!A1", "email": "formula@text-five.com", "company_name": "@SUM(A1)"},
    {"last_name": "n/a", "full_name": "unknown", "company_name": "none", "email": "nobody@text-six.com"},
    {"last_name": "X" * 499, "email": "long@text-seven.com", "message": "long " * 3000},
    # Addresses, amounts, times, and leads that are nobody's.
    {"last_name": "Dots", "email": "a..b@mail-one.com", "phone": "+1 415 555 2691"},
    {"last_name": "Disposable", "email": "x@mailinator.com", "country": "US"},
    {"last_name": "Role", "email": "sales@mail-three.com", "linkedin_url": "https://www.linkedin.com/in/role-x/"},
    {"last_name": "Amounts", "email": "am@mail-four.com", "annual_revenue_usd": "$1.2M", "budget_usd": "1.234,56"},
    {"last_name": "Minus", "email": "minus@mail-five.com", "employee_count": "-5", "page_views_count": "1e3"},
    {"last_name": "Times", "email": "times@mail-six.com", "created_at": "31/12/2025", "last_activity_at": "2999-01-01"},
    {"last_name": "Test", "email": "test@example.com", "company_name": "Test", "phone": "555-0100"},
    {"email": "nameless@mail-seven.com"},
    {"last_name": "Unreachable", "company_name": "Nowhere Inc"},
)
KNOWN = ({"last_name": "Known", "email": "known@was-here-before.com", "phone": "+1 415 555 2699", "country": "US"},)


def person(name: str) -> dict[str, str]:
    return {"last_name": "Alder", "email": f"{name}@alder-works.com", "country": "US"}


def bring(house: House, source: str, leads: tuple[dict[str, str], ...]) -> list[UUID]:
    """Take leads in as the API does; identities are claimed by their batch."""
    now = datetime.now(UTC)
    new = [
        NewLead(IDS.next(now), "acme", source, "api", now, json.dumps({**lead, "extra": {"utm": "x"}}), [])
        for lead in leads
    ]
    with house.outside.store.transaction("test:bring") as con:
        take_in(con, new)
    return [lead.lead_id for lead in new]


def batch_of(house: House, lead_id: UUID) -> str:
    with house.outside.store.read() as con:
        asked = text("SELECT batch_id FROM aiqleads.intake WHERE lead_id = :lead_id")
        return str(con.execute(asked, {"lead_id": lead_id}).scalar_one())


def run_ordinarily(house: House, batch_id: str) -> None:
    assert drops.request_batch(house.outside.store, batch_id, by="test")
    assert run_batch(house.defs, house.instance, house.outside, batch_id)


def owners_of(house: House, batch_id: str) -> dict[UUID, tuple[str, str]]:
    return {lead: (team, owner) for lead, team, owner in house.rows("routed_leads", batch_id, "lead_id, team, owner")}


def test_what_is_decided_at_once_is_what_the_ordinary_run_says(house: House) -> None:
    [known] = bring(house, "hot_equal", KNOWN)
    seen: dict[str, list[Any]] = {}
    with open_engine(house.outside.settings) as con:
        hot_run.decide_awaited(house.outside, con, "hot_equal", [known], LOG)
        run_ordinarily(house, batch_of(house, known))
        lead_ids = bring(house, "hot_equal", AWKWARD)
        decided = hot_run.decide_awaited(house.outside, con, "hot_equal", lead_ids, LOG)
        for table in TABLES:
            seen[table] = con.table(f"hot_{table}").order("ALL").fetchall()
    batch_id = batch_of(house, lead_ids[0])
    assert drops.batch(house.outside.store, batch_id).state == "waiting"
    run_ordinarily(house, batch_id)
    for table in TABLES:
        assert house.rows(table, batch_id) == seen[table], table
    assert {lead: (row["team"], row["owner"]) for lead, row in decided.items() if row["status"] == "routed"} == (
        owners_of(house, batch_id)
    )
    counts = drops.batch(house.outside.store, batch_id).counts
    assert (
        counts["received"] == len(AWKWARD) == sum(counts[n] for n in ("rejected", "duplicates", "routed", "in_review"))
    )
    assert len(decided) == counts["routed"] + counts["in_review"]
    assert counts["rejected"] >= 2  # neither reachable nor named
    assert known in {lead for (lead,) in house.rows("duplicate_leads", batch_id, "existing_lead_id")}
    assert counts["duplicates"] >= 5


def test_only_who_is_awaited_is_gathered_and_once(house: House) -> None:
    waits, other = bring(house, "hot_some", (person("one"), person("two")))
    with open_engine(house.outside.settings) as con:
        assert set(hot_run.decide_awaited(house.outside, con, "hot_some", [waits], LOG)) == {waits}
        assert hot_run.decide_awaited(house.outside, con, "hot_some", [waits], LOG) == {}
    with house.outside.store.read() as connection:
        left = connection.execute(
            text("SELECT lead_id FROM aiqleads.intake WHERE source = 'hot_some' AND batch_id IS NULL")
        )
        assert list(left.scalars()) == [other]


@pytest.mark.parametrize("step", ["raw_leads", "scored_leads", "routing"])
def test_a_lane_that_fails_leaves_the_batch_to_the_ordinary_run(
    house: House, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_at(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if step == "routing" or arguments[0].op.name == step:
                raise RuntimeError(name)
            return real(*arguments)

        return call

    name = "_commit_routing" if step == "routing" else "_call"
    monkeypatch.setattr(hot_run, name, fail_at(name, getattr(hot_run, name)))
    source = f"hot_fail_{step}"
    [lead_id] = bring(house, source, (person(step),))
    with open_engine(house.outside.settings) as con, pytest.raises(RuntimeError):
        hot_run.decide_awaited(house.outside, con, source, [lead_id], LOG)
    batch = drops.batch(house.outside.store, batch_of(house, lead_id))
    assert batch.state == "waiting"
    assert f"batch:{batch.batch_id}" not in live_leases(house.outside.store)


def test_rules_that_change_before_the_ordinary_run_change_nothing_that_was_told(house: House, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(house.outside.settings.rules_dir, rules)
    changed = house.with_settings(RULES_DIR=rules)
    lead_ids = bring(house, "hot_rules", tuple(person(f"rules{n}") for n in range(3)))
    with open_engine(changed.outside.settings) as con:
        decided = hot_run.decide_awaited(changed.outside, con, "hot_rules", lead_ids, LOG)
        scores = con.table("hot_scored_leads").order("ALL").fetchall()
    teams = rules / "teams.yaml"
    owners = {row["owner"] for row in decided.values() if row["owner"]}
    for owner in owners:  # nobody of that name works here any more
        teams.write_text(teams.read_text().replace(owner, f"new-{owner}"))
    scoring = rules / "scoring.yaml"
    scoring.write_text(scoring.read_text() + "\n# edited\n")
    batch_id = batch_of(house, lead_ids[0])
    run_ordinarily(changed, batch_id)
    assert owners
    assert {lead: (row["team"], row["owner"]) for lead, row in decided.items() if row["status"] == "routed"} == (
        owners_of(house, batch_id)
    )
    assert changed.rows("scored_leads", batch_id) == scores


@pytest.mark.parametrize("step", ["validated_leads", "routing"])
def test_a_lane_that_is_killed_loses_nothing_and_says_nothing_twice(house: House, step: str) -> None:
    source = f"hot_killed_{step}"
    lead_ids = bring(house, source, tuple(person(f"killed-{step}{n}") for n in range(3)))
    # Its home and database are those of the house; it says when it is where it shall die, and waits there.
    lane = subprocess.Popen(
        [sys.executable, "-c", KILLED_LANE, step, source, *map(str, lead_ids)],
        env={**os.environ, "AIQLEADS_HOME": str(house.outside.settings.home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert lane.stdout is not None
    with lane, lane.stdout:
        assert lane.stdout.readline() == "here\n"
        lane.kill()
    batch_id = batch_of(house, lead_ids[0])
    with house.outside.store.transaction("test:expire") as con:  # instead of waiting until it runs out
        con.execute(EXPIRE, {"name": f"batch:{batch_id}"})
    assert drops.reopen(house.outside.store, batch_id, states=["requested", "running"])
    run_ordinarily(house, batch_id)
    assert {batch_of(house, lead) for lead in lead_ids} == {batch_id}
    routed = [lead for (lead,) in house.rows("routed_leads", batch_id, "lead_id")]
    counts = drops.batch(house.outside.store, batch_id).counts
    assert counts["received"] == len(lead_ids) == counts["routed"] + counts["in_review"]
    assert len(routed) == len(set(routed)) == counts["routed"]


@pytest.mark.parametrize(
    ("query", "seconds"),
    [(b"", None), (b"a=b", None), (b"wait=routed", 2.0), (b"wait=routed&timeout_ms=350", 0.35)],
)
def test_how_long_a_caller_waits(query: bytes, seconds: float | None) -> None:
    assert read_wait(query) == seconds


@pytest.mark.parametrize(
    "query", [b"wait=", b"wait=scored", b"wait=routed&timeout_ms=0", b"wait=routed&timeout_ms=-1",
              b"wait=routed&timeout_ms=30001", b"wait=routed&timeout_ms=9999999", b"wait=routed&timeout_ms=\xb2"],
)  # fmt: skip
def test_another_way_to_wait_is_refused(query: bytes) -> None:
    with pytest.raises(Problem) as refused:
        read_wait(query)
    assert refused.value.status == 400
