"""Leads that somebody waits for: decided at once, and the ordinary run of their batch says the very same."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
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
IDS = LeadIds()
# None of these columns is a moment of the run itself.
TABLES = ("raw_leads", "validated_leads", "enriched_leads", "scored_leads", "classified_leads", "routed_leads")
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
)


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


def test_what_is_decided_at_once_is_what_the_ordinary_run_says(house: House) -> None:
    lead_ids = bring(house, "hot_equal", AWKWARD)
    seen: dict[str, list[Any]] = {}
    with open_engine(house.outside.settings) as con:
        decided = hot_run.decide_awaited(house.outside, con, "hot_equal", lead_ids, LOG)
        for table in TABLES:
            seen[table] = con.table(f"hot_{table}").order("ALL").fetchall()
    assert set(decided) == set(lead_ids)
    batch_id = batch_of(house, lead_ids[0])
    assert drops.batch(house.outside.store, batch_id).state == "waiting"
    assert drops.request_batch(house.outside.store, batch_id, by="test")
    assert run_batch(house.defs, house.instance, house.outside, batch_id)
    for table in TABLES:
        assert house.rows(table, batch_id) == seen[table], table
    owners = {lead: (team, owner) for lead, team, owner in house.rows("routed_leads", batch_id, "lead_id, team, owner")}
    told = {lead: (row["team"], row["owner"]) for lead, row in decided.items() if row["status"] == "routed"}
    assert told == owners
    counts = drops.batch(house.outside.store, batch_id).counts
    assert counts["received"] == len(AWKWARD) == counts["routed"] + counts["in_review"]


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
