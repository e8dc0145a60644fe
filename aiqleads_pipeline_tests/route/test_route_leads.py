"""Routing as short stories: who gets which lead, who waits, and what is said about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from routing_world import AS_OF, LARGE, ROUTING, TEAMS, World, of, owners_by_row, reasons_of, reviews_by_row

from aiqleads_pipeline.contract import TABLES
from aiqleads_pipeline.stages.rota import make_pool
from aiqleads_pipeline.stages.route import LoadRow


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
