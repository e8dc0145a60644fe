"""Routing as short stories: who gets which lead, who waits, and what is said about it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from routing_world import AS_OF, World, make_world, owners_by_row, reviews_by_row

from aiqleads_pipeline.contract import TABLES
from aiqleads_pipeline.stages.rota import make_pool
from aiqleads_pipeline.stages.route import LoadRow, Routed, RoutingSnapshot, route

TEAMS = """
owners:
  - {id: ana, name: Ana, email: ana@example.com, weight: 2}
  - {id: bo, name: Bo, email: bo@example.com}
  - {id: cy, name: Cy, email: cy@example.com}
  - {id: dee, name: Dee, email: dee@example.com}
teams:
  - {id: smb, name: Small, members: [ana, bo]}
  - {id: big, name: Big, members: [cy, dee]}
"""
ROUTING = """
rules:
  - {id: large, when: {size_segment: enterprise}, team: big, sla: {P1: 2 min}}
  - {id: throwaway, when: {email_kind: disposable}, team: review}
  - {id: rest, team: smb}
"""
LARGE = {"size_segment": "enterprise"}


@pytest.fixture
def build(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Callable[..., World]:
    return partial(make_world, con, tmp_path)


def of(domain: str, **more: Any) -> dict[str, Any]:
    return {"company_domain": domain, **more}


def reasons_of(routed: Routed) -> dict[int, dict[str, Any]]:
    return {lead.int: json.loads(text) for lead, text in routed.routed.select("lead_id, reasons").fetchall()}


def test_a_routed_lead_names_team_owner_rule_and_until_when(build: Callable[..., World]) -> None:
    routed = build(TEAMS, ROUTING).route([LARGE | {"priority": "P1"}, {"priority": "P2"}])
    assert routed.routed.columns == TABLES["routed_leads"].column_names
    assert routed.review.columns == TABLES["review_queue"].column_names
    picked = "team, rule_id, owner_method, priority, sla_due_at, routed_at"
    assert routed.routed.order("lead_id").select(picked).fetchall() == [
        ("big", "large", "rota", "P1", AS_OF + timedelta(minutes=2), AS_OF),
        ("smb", "rest", "rota", "P2", AS_OF + timedelta(hours=1), AS_OF),
    ]
    assert routed.review.fetchall() == []


def test_owners_take_turns_by_weight_and_the_turns_are_remembered(build: Callable[..., World]) -> None:
    world = build(TEAMS, ROUTING)
    routed = world.route([{}] * 30)
    pool = make_pool("smb", (("ana", 2), ("bo", 1)))
    assert list(owners_by_row(routed).values()) == [pool.owner_at(turn) for turn in range(30)]
    assert routed.loads == [
        LoadRow("", pool.id, 30, 0), LoadRow("ana", pool.id, 0, 20), LoadRow("bo", pool.id, 0, 10),
    ]  # fmt: skip
    again = world.after(routed).route([{}] * 2)
    assert list(owners_by_row(again).values()) == [pool.owner_at(30), pool.owner_at(31)]


def test_a_known_company_goes_to_the_owner_of_its_account_whatever_the_team(build: Callable[..., World]) -> None:
    world = build(TEAMS, ROUTING, accounts=(("acme.com", "dee", "big"),))
    routed = world.route([of("acme.com"), of("acme.com", **LARGE)])
    rows = routed.routed.order("lead_id").select("team, owner, rule_id, owner_method").fetchall()
    assert rows == [("smb", "dee", "rest", "account"), ("big", "dee", "large", "account")]
    assert routed.loads == [LoadRow("dee", "", 0, 2)]
    assert routed.accounts.fetchall() == []
    assert reasons_of(routed)[1] == {
        "rule": "rest", "when": "every lead", "team": "smb", "method": "account",
        "because": "the company's account belongs to dee", "candidates": [{"owner": "dee"}],
        "passed_over": {
            "ana": "the company's account belongs to dee",
            "bo": "the company's account belongs to dee",
        },
    }  # fmt: skip


def test_leads_of_a_new_company_follow_its_first(build: Callable[..., World]) -> None:
    world = build(TEAMS, ROUTING)
    routed = world.route([{}, of("new.com", **LARGE), of("new.com"), of("new.com", **LARGE), {}])
    owners = owners_by_row(routed)
    first = make_pool("big", (("cy", 1), ("dee", 1))).owner_at(0)
    assert {owners[2], owners[3], owners[4]} == {first}
    assert [owners[1], owners[5]] == [make_pool("smb", (("ana", 2), ("bo", 1))).owner_at(turn) for turn in (0, 1)]
    assert routed.accounts.fetchall() == [("new.com", first, "big")]
    assert reasons_of(routed)[3]["because"] == f"the company's first lead in this batch went to {first}"
    assert LoadRow(first, "", 0, 2) in routed.loads


def test_an_account_moves_when_its_owner_is_gone_and_stays_when_he_is_away(build: Callable[..., World]) -> None:
    teams = TEAMS.replace("email: cy@example.com", "email: cy@example.com, active: false").replace(
        "email: dee@example.com", "email: dee@example.com, absent: [{from: 2026-11-20, until: 2026-11-23}]"
    )
    known = (("a.com", "cy", "big"), ("b.com", "dee", "big"), ("c.com", "zoe", "big"))
    world = build(teams, ROUTING, accounts=known)
    routed = world.route([of("a.com"), of("b.com"), of("c.com"), of("b.com")])
    owners = owners_by_row(routed)
    assert set(owners.values()) == {"ana", "bo"}
    assert owners[2] == owners[4]
    assert sorted(routed.accounts.fetchall()) == [("a.com", owners[1], "smb"), ("c.com", owners[3], "smb")]
    told = reasons_of(routed)
    moves, stays = "the account goes to the new owner", "the account stays with its owner"
    assert told[1]["account"] == {"owner": "cy", "why_not": "inactive", "then": moves}
    assert told[2]["account"] == {"owner": "dee", "why_not": "absent until 2026-11-23", "then": stays}
    assert told[3]["account"] == {"owner": None, "why_not": "not in teams.yaml any more", "then": moves}
    back = world.after(routed).route([of("b.com")], as_of=AS_OF + timedelta(days=1))
    assert owners_by_row(back) == {1: "dee"}


def test_full_owners_are_passed_over_and_what_nobody_can_take_waits(build: Callable[..., World]) -> None:
    teams = TEAMS.replace("weight: 2", "weight: 2, max_open_leads: 4").replace(
        "email: bo@example.com", "email: bo@example.com, max_open_leads: 6"
    )
    world = build(teams, ROUTING, loads=(LoadRow("ana", "x", 0, 9), LoadRow("bo", "", 0, 2)), closed=(("ana", 7),))
    routed = world.route([{}] * 9)
    owners = owners_by_row(routed)
    assert Counter(owners.values()) == {"ana": 2, "bo": 4}
    assert list(owners) == [1, 2, 3, 4, 5, 6]
    waiting = reviews_by_row(routed)
    assert list(waiting) == [7, 8, 9]
    assert {code for code, _ in waiting.values()} == {"no_capacity"}
    everybody = make_pool("smb", (("ana", 2), ("bo", 1)))
    turns = next(row.turns_count for row in routed.loads if row.owner == "" and row.pool == everybody.id)
    assert [told for _, told in waiting.values()] == [
        {"team": "smb", "owner": everybody.owner_at(turns + i), "rule_id": "rest", "priority": "P3", "otherwise": None}
        for i in range(3)
    ]
    assert reasons_of(routed)[6]["passed_over"] == {"ana": "at capacity: 4 of 4 open leads"}


def test_accounts_count_towards_capacity_and_never_exceed_it(build: Callable[..., World]) -> None:
    teams = TEAMS.replace("weight: 2", "weight: 2, max_open_leads: 3")
    world = build(teams, ROUTING, accounts=(("acme.com", "ana", "smb"),))
    routed = world.route([{}, *[of("acme.com")] * 5, {}])
    assert owners_by_row(routed) == {1: "bo", 2: "ana", 3: "ana", 4: "ana", 7: "bo"}
    suggestion = {"team": "smb", "owner": "ana", "rule_id": "rest", "priority": "P3", "otherwise": None}
    assert reviews_by_row(routed) == {5: ("no_capacity", suggestion), 6: ("no_capacity", suggestion)}


def test_followers_wait_for_a_person_when_their_owner_is_full(build: Callable[..., World]) -> None:
    teams = TEAMS.replace("weight: 2", "max_open_leads: 3").replace("bo@example.com", "bo@example.com, active: false")
    routed = build(teams, ROUTING).route([of("new.com")] * 5)
    assert owners_by_row(routed) == {1: "ana", 2: "ana", 3: "ana"}
    assert {row: code for row, (code, _) in reviews_by_row(routed).items()} == {4: "no_capacity", 5: "no_capacity"}
    assert routed.accounts.fetchall() == [("new.com", "ana", "smb")]


def test_a_company_whose_first_lead_finds_nobody_waits_as_a_whole(build: Callable[..., World]) -> None:
    teams = TEAMS.replace("example.com}", "example.com, max_open_leads: 1}")
    world = build(teams, ROUTING, loads=tuple(LoadRow(owner, "", 0, 1) for owner in ("cy", "dee")))
    routed = world.route([of("new.com", **LARGE), of("new.com", **LARGE), {}])
    assert list(owners_by_row(routed)) == [3]
    assert {row: code for row, (code, _) in reviews_by_row(routed).items()} == {1: "no_capacity", 2: "no_capacity"}
    assert routed.accounts.fetchall() == []


def test_a_team_without_an_active_owner_a_review_rule_and_no_match_wait(build: Callable[..., World]) -> None:
    teams = TEAMS.replace("cy@example.com", "cy@example.com, active: false").replace(
        "dee@example.com", "dee@example.com, absent: [{from: 2026-11-23, until: 2026-11-23}]"
    )
    routing = ROUTING.replace("rest, team: smb", "nothing_known, team: review")
    routed = build(teams, routing).route([LARGE, {"email_kind": "disposable"}, {}, of("x.com", **LARGE)])
    assert routed.routed.fetchall() == []
    large = {"team": "big", "owner": None, "rule_id": "large", "priority": "P3", "otherwise": None}
    assert reviews_by_row(routed) == {
        1: ("no_owner", large),
        2: (
            "sent_to_review",
            {"team": None, "owner": None, "rule_id": "throwaway", "priority": "P3", "otherwise": None},
        ),
        3: ("no_rule", {"team": None, "owner": None, "rule_id": "nothing_known", "priority": "P3", "otherwise": None}),
        4: ("no_owner", large),
    }
    assert routed.review.select("opened_at, resolved_at").distinct().fetchall() == [(AS_OF, None)]


def test_a_company_of_a_team_without_owners_follows_only_backwards(build: Callable[..., World]) -> None:
    teams = TEAMS.replace("cy@example.com", "cy@example.com, active: false").replace(
        "dee@example.com", "dee@example.com, active: false"
    )
    routed = build(teams, ROUTING).route([of("new.com", **LARGE), of("new.com"), of("new.com", **LARGE)])
    owners = owners_by_row(routed)
    assert list(owners) == [2, 3]
    assert owners[2] == owners[3]
    assert reviews_by_row(routed)[1][0] == "no_owner"


def test_with_automatic_routing_off_everything_waits_with_what_would_be_done(build: Callable[..., World]) -> None:
    teams = TEAMS.replace("cy@example.com", "cy@example.com, active: false").replace(
        "dee@example.com", "dee@example.com, active: false"
    )
    world = build(teams, ROUTING, accounts=(("acme.com", "bo", "smb"),))
    routed = world.route([of("acme.com"), LARGE, of("new.com")], auto_routing=False)
    turn = make_pool("smb", (("ana", 2), ("bo", 1))).owner_at(0)
    assert reviews_by_row(routed) == {
        1: ("routing_disabled", {"team": "smb", "owner": "bo", "rule_id": "rest", "priority": "P3", "otherwise": None}),
        2: (
            "routing_disabled",
            {"team": "big", "owner": None, "rule_id": "large", "priority": "P3", "otherwise": "no_owner"},
        ),
        3: ("routing_disabled", {"team": "smb", "owner": turn, "rule_id": "rest", "priority": "P3", "otherwise": None}),
    }
    assert (routed.routed.fetchall(), routed.loads, routed.accounts.fetchall()) == ([], [], [])


def test_a_turn_says_who_was_passed_over_and_why(build: Callable[..., World]) -> None:
    teams = """
owners:
  - {id: ana, name: Ana, email: ana@example.com, weight: 4}
  - {id: bo, name: Bo, email: bo@example.com, weight: 2}
  - {id: cy, name: Cy, email: cy@example.com, max_open_leads: 2}
  - {id: dee, name: Dee, email: dee@example.com, active: false}
  - {id: eve, name: Eve, email: eve@example.com, absent: [{from: 2026-11-01, until: 2026-12-05}]}
teams:
  - {id: smb, name: Small, members: [ana, bo, cy, dee, eve]}
"""
    world = build(teams, "rules: [{id: rest, team: smb}]", loads=(LoadRow("cy", "", 0, 2),))
    told = reasons_of(world.route([{}] * 3))
    pool = make_pool("smb", (("ana", 2), ("bo", 1)))
    away = {
        "cy": "at capacity: 2 of 2 open leads", "dee": "inactive", "eve": "absent until 2026-12-05",
    }  # fmt: skip
    assert pool.sequence == ("ana", "bo", "ana")
    assert [told[row]["passed_over"] for row in (1, 2, 3)] == [
        {"bo": "not their turn: next in 1 lead", **away},
        {"ana": "not their turn: next in 1 lead", **away},
        {"bo": "not their turn: next in 2 leads", **away},
    ]
    assert told[2] == {
        "rule": "rest", "when": "every lead", "team": "smb", "method": "rota", "pool": pool.id, "turn": 2,
        "turns_in_cycle": 3, "candidates": [{"owner": "ana", "weight": 2}, {"owner": "bo", "weight": 1}],
        "passed_over": told[2]["passed_over"],
    }  # fmt: skip


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
