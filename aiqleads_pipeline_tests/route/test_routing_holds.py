"""What holds of routing whatever the leads, the batches and the accounts are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from routing_world import AS_OF, LARGE, ROUTING, TEAMS, World, of, owners_by_row, reasons_of, reviews_by_row

from aiqleads_pipeline.stages.rota import make_pool
from aiqleads_pipeline.stages.route import LoadRow, RoutingSnapshot, route

LEADS = st.lists(
    st.fixed_dictionaries(
        {
            "company_domain": st.sampled_from([None, None, "a.com", "b.com", "c.com", "d.com"]),
            "size_segment": st.sampled_from(["enterprise", "small", "unknown"]),
            "email_kind": st.sampled_from([None, "business", "disposable"]),
        }
    ),
    min_size=1,
    max_size=40,
)
WITH_DATABASE = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@WITH_DATABASE
@given(LEADS, st.lists(st.integers(1, 12), max_size=4))
def test_batching_makes_no_difference_to_anybody(
    build: Callable[..., World], leads: list[dict[str, Any]], sizes: list[int]
) -> None:
    world = build(TEAMS, ROUTING, accounts=(("d.com", "cy", "big"),))
    at_once = owners_by_row(world.route(leads))
    by_batch: dict[int, str] = {}
    start = 0
    for size in [*sizes, len(leads)]:
        if batch := leads[start : start + size]:
            routed = world.route(batch, first_row=start + 1)
            by_batch |= owners_by_row(routed)
            world = world.after(routed)
        start += size
    assert by_batch == at_once


@WITH_DATABASE
@given(LEADS, st.lists(st.integers(1, 9), min_size=4, max_size=4), st.lists(st.integers(0, 9), min_size=4, max_size=4))
def test_every_lead_is_somewhere_once_nobody_is_over_full_and_companies_stay_together(
    build: Callable[..., World], leads: list[dict[str, Any]], limits: list[int], given_before: list[int]
) -> None:
    owners = dict(zip(("ana", "bo", "cy", "dee"), limits, strict=True))
    teams = TEAMS
    for owner, limit in owners.items():
        teams = teams.replace(f"{owner}@example.com", f"{owner}@example.com, max_open_leads: {limit}")
    before = tuple(LoadRow(owner, "", 0, n) for owner, n in zip(owners, given_before, strict=True))
    routed = build(teams, ROUTING, loads=before, accounts=(("d.com", "cy", "big"),)).route(leads)
    got, waits = owners_by_row(routed), reviews_by_row(routed)
    assert sorted([*got, *waits]) == list(range(1, len(leads) + 1))
    for (owner, limit), row in zip(owners.items(), before, strict=True):
        assert list(got.values()).count(owner) <= max(limit - row.given_count, 0)
    by_company: dict[str, set[str]] = {}
    for row, owner in got.items():
        if domain := leads[row - 1]["company_domain"]:
            by_company.setdefault(domain, set()).add(owner)
    assert all(len(owners) == 1 for owners in by_company.values())
    counted = Counter({row.owner: 0 for row in routed.loads if row.owner})
    for row in routed.loads:
        counted[row.owner] += row.given_count
    assert +counted == Counter(got.values())


@WITH_DATABASE
@given(LEADS, st.integers(1, 9))
def test_the_logged_reasons_give_the_same_owner_again(
    build: Callable[..., World], leads: list[dict[str, Any]], limit: int
) -> None:
    teams = TEAMS.replace("weight: 2", f"weight: 2, max_open_leads: {limit}")
    routed = build(teams, ROUTING, accounts=(("d.com", "cy", "big"),)).route(leads)
    owners = owners_by_row(routed)
    for row, told in reasons_of(routed).items():
        candidates = {each["owner"]: each.get("weight") for each in told["candidates"]}
        if told["method"] == "rota":
            pool = make_pool(told["team"], tuple(candidates.items()))
            assert pool.id == told["pool"]
            assert pool.owner_at(told["turn"] - 1) == owners[row]
        else:
            assert list(candidates) == [owners[row]]
        members = {"smb": {"ana", "bo"}, "big": {"cy", "dee"}}[told["team"]]
        assert set(told["passed_over"]) == members - {owners[row]}


def test_the_same_snapshot_gives_the_same_result(build: Callable[..., World]) -> None:
    leads = [of(f"c{i % 7}.com") if i % 3 else {} for i in range(60)]
    world = build(TEAMS.replace("weight: 2", "weight: 2, max_open_leads: 11"), ROUTING)
    results = []
    for _ in range(2):
        routed = world.route(leads)
        tables = [r.order("ALL").fetchall() for r in (routed.routed, routed.review, routed.accounts)]
        results.append((*tables, routed.loads))
    assert results[0] == results[1]


def test_statements_do_not_grow_with_the_leads(build: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    world = build(TEAMS, ROUTING)
    run: list[str] = []
    real = route.run_sql
    monkeypatch.setattr(route, "run_sql", lambda con, name, **kw: run.append(name) or real(con, name, **kw))
    counts = []
    for size in (2, 2000):
        run.clear()
        world.route([of(f"c{i % 300}.com") if i % 2 else LARGE for i in range(size)])
        counts.append(len(run))
    assert counts[0] == counts[1]


def test_an_empty_batch_is_routed_to_nobody(build: Callable[..., World]) -> None:
    world = build(TEAMS, ROUTING)
    empty = world.con.sql(
        """SELECT NULL::UUID lead_id, NULL::VARCHAR batch_id, 1::BIGINT row_number, NULL::VARCHAR source,
        NULL::VARCHAR source_channel, NULL::VARCHAR country, NULL::VARCHAR region, NULL::VARCHAR product_interest,
        NULL::VARCHAR email_kind, NULL::VARCHAR company_domain, NULL::VARCHAR industry_code,
        NULL::VARCHAR size_segment, NULL::VARCHAR priority, NULL::VARCHAR territory, 1.0::DOUBLE lead_score LIMIT 0"""
    )
    kept = empty.select("lead_id, batch_id, industry_code, size_segment, priority, territory")
    routed = route.route_leads(world.con, empty, empty, kept, world.book, world.snapshot(), as_of=AS_OF)
    assert (routed.routed.fetchall(), routed.review.fetchall(), routed.loads) == ([], [], [])


def test_leads_of_two_batches_are_refused(build: Callable[..., World]) -> None:
    world = build(TEAMS, ROUTING)
    both = world.con.sql(
        """SELECT *, 'web' source, 'api' source_channel, NULL::VARCHAR country, NULL::VARCHAR region,
        NULL::VARCHAR product_interest, NULL::VARCHAR email_kind, NULL::VARCHAR company_domain, '51' industry_code,
        'small' size_segment, 'P1' priority, 'emea' territory, 1.0 lead_score
        FROM (VALUES (uuid(), 'b1', 1), (uuid(), 'b2', 2)) AS leads (lead_id, batch_id, row_number)"""
    )
    with pytest.raises(ValueError, match="not of b1 and b2"):
        route.route_leads(world.con, both, both, both, world.book, RoutingSnapshot(accounts=None), as_of=AS_OF)


def test_accounts_may_come_as_arrow(build: Callable[..., World]) -> None:
    known = pa.table({"company_domain": ["acme.com"], "owner": ["dee"], "team": ["big"]})
    world = build(TEAMS, ROUTING)
    routed = world.route([of("acme.com"), of("new.com")], snapshot=RoutingSnapshot.of({}, world.con.from_arrow(known)))
    assert owners_by_row(routed)[1] == "dee"
    assert [domain for domain, _, _ in routed.accounts.fetchall()] == ["new.com"]


def test_the_day_of_an_absence_is_the_utc_day_of_the_batch(build: Callable[..., World]) -> None:
    away = "bo@example.com, absent: [{from: 2026-11-24, until: 2026-11-24}]"
    world = build(TEAMS.replace("bo@example.com", away), ROUTING)
    late = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
    by_day = [
        set(owners_by_row(world.route([{}] * 6, as_of=late + timedelta(minutes=minutes))).values())
        for minutes in (0, 1, 24 * 60 + 1)
    ]
    assert by_day == [{"ana", "bo"}, {"ana"}, {"ana", "bo"}]


def test_a_closed_lead_makes_room_again(build: Callable[..., World]) -> None:
    world = build(
        TEAMS.replace("weight: 2", "max_open_leads: 1").replace("members: [ana, bo]", "members: [ana]"), ROUTING
    )
    world = world.after(world.route([{}]))
    assert owners_by_row(world.route([{}])) == {}
    assert owners_by_row(replace(world, closed=(("ana", 1),)).route([{}])) == {1: "ana"}
