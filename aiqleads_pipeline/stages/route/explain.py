"""The words of a routing decision: which rule and why, who was considered, why the others were passed over.

Belongs here: the JSON of ``routed_leads.reasons``. It is written once per distinct decision and names all that is
needed to decide again: team, candidates with weights, and the turn give the owner (``stages.rota``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from aiqleads_pipeline.rules.routing import RoutingRules
from aiqleads_pipeline.stages.rota import Stretch
from aiqleads_pipeline.stages.route.plan import Lanes, Plan

Decision = tuple[int, str, int, int | None]  # rule number, method, slot, number of the account's owner


def explain_decisions(
    decisions: Sequence[Decision], lanes: Lanes, routing: RoutingRules, plan: Plan
) -> list[dict[str, Any]]:
    """The rows of ``reasons.sql``, one per decision."""
    owners = list(lanes.owner_numbers)

    @cache
    def explain_turn(slot: int) -> dict[str, Any]:
        return _explain_turn(*plan.slots[slot], lanes)

    rows = []
    for number, method, slot, account in decisions:
        rule = routing.rules[number]
        told: dict[str, Any] = {"rule": rule.id, "when": rule.when.in_words(), "team": rule.team}
        if method == "rota":
            told |= {"method": "rota", **explain_turn(slot)}
        else:
            told |= _explain_account(method, owners[-1 - slot], rule.team, lanes)
        if account is not None and method != "account":
            told["account"] = _explain_substitute(owners[account] if account >= 0 else None, lanes)
        rows.append(
            {
                "rule_number": number,
                "method": method,
                "slot": slot,
                "account_owner_number": -2 if account is None else account,
                "reasons": json.dumps(told, ensure_ascii=False, separators=(",", ":")),
            }
        )
    return rows


def _explain_turn(stretch: Stretch, turn: int, lanes: Lanes) -> dict[str, Any]:
    pool = stretch.pool
    owner = pool.owner_at(turn)
    passed_over = {}
    for other, _ in pool.shares:
        if other != owner:
            wait = pool.turn_of(other, pool.turns_before(turn, other)) - turn
            passed_over[other] = f"not their turn: next in {wait} {'lead' if wait == 1 else 'leads'}"
    passed_over |= lanes.passed_over[pool.team]
    for other in stretch.full:
        limit = lanes.teams.owner_by_id[other].max_open_leads
        passed_over[other] = f"at capacity: {limit} of {limit} open leads"
    return {
        "pool": pool.id,
        "turn": turn % len(pool.sequence) + 1,
        "turns_in_cycle": len(pool.sequence),
        "candidates": [{"owner": candidate, "weight": weight} for candidate, weight in pool.shares],
        "passed_over": passed_over,
    }


def _explain_account(method: str, owner: str, team: str, lanes: Lanes) -> dict[str, Any]:
    because = (
        f"the company's account belongs to {owner}"
        if method == "account"
        else f"the company's first lead in this batch went to {owner}"
    )
    return {
        "method": "account",
        "because": because,
        "candidates": [{"owner": owner}],
        "passed_over": {other: because for other in lanes.teams.team_by_id[team].members if other != owner},
    }


def _explain_substitute(owner: str | None, lanes: Lanes) -> dict[str, str | None]:
    """Why the owner of the company's account does not get the lead, and what becomes of the account."""
    stays = owner is not None and lanes.state(owner) == "away"
    return {
        "owner": owner,
        "why_not": "not in teams.yaml any more"
        if owner is None
        else lanes.teams.why_away(owner, lanes.at) or "in no team",
        "then": "the account stays with its owner" if stays else "the account goes to the new owner",
    }
