"""The stage itself: hands rules and turns to the SQL of ``sql/stages/route`` and gives back its tables.

Belongs here: the order of the steps. Does not belong here: who takes how many turns (``plan``) and the words of an
explanation (``explain``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.contract import PRIORITIES, cast_projection
from aiqleads_pipeline.rules.routing import LISTED, RoutingRules
from aiqleads_pipeline.rules.teams import TeamRules
from aiqleads_pipeline.stages.engine import run_sql, set_variables
from aiqleads_pipeline.stages.route.explain import explain_decisions
from aiqleads_pipeline.stages.route.plan import Lanes, Plan, plan_turns


class HasRouting(Protocol):
    """What routing needs of the rule book."""

    @property
    def teams(self) -> TeamRules:
        """Owners and teams."""

    @property
    def routing(self) -> RoutingRules:
        """The ordered rules."""


@dataclass(frozen=True)
class RoutingSnapshot:
    """What was given so far, as it stood when the batch was pinned: turns by pool id, leads given and closed by owner.

    ``accounts`` has the columns ``company_domain, owner, team``; only the companies of the batch are needed.
    """

    turns: Mapping[str, int] = field(default_factory=dict)
    given: Mapping[str, int] = field(default_factory=dict)
    closed: Mapping[str, int] = field(default_factory=dict)
    accounts: DuckDBPyRelation | None = None

    @classmethod
    def of(cls, state: Mapping[str, Any], accounts: DuckDBPyRelation | None = None) -> RoutingSnapshot:
        """From the JSON object ``{"turns": {pool: n}, "given": {owner: n}, "closed": {owner: n}}``."""
        return cls(state.get("turns", {}), state.get("given", {}), state.get("closed", {}), accounts)

    def open_count(self, owner: str) -> int:
        """Leads that the owner was given and that are not closed."""
        return max(self.given.get(owner, 0) - self.closed.get(owner, 0), 0)


@dataclass(frozen=True)
class LoadRow:
    """What a batch adds to the counts: turns of a pool (under the owner ''), or leads given (pool '' by account)."""

    owner: str
    pool: str
    turns_count: int
    given_count: int


@dataclass(frozen=True)
class Routed:
    """``routed`` and ``review`` (lazy relations of the contract's columns), and what the store must remember."""

    routed: DuckDBPyRelation
    review: DuckDBPyRelation
    loads: list[LoadRow]
    accounts: DuckDBPyRelation


def route_leads(
    con: DuckDBPyConnection,
    enriched: DuckDBPyRelation,
    scored: DuckDBPyRelation,
    classified: DuckDBPyRelation,
    rules: HasRouting,
    snapshot: RoutingSnapshot,
    *,
    as_of: datetime,
    auto_routing: bool = True,
) -> Routed:
    """Route the leads of a batch; the same inputs give the same result. ``row_number`` must be unique among them.

    The decisions are made at once, into temporary tables ``route_*`` of the connection; the relations that come back
    read them, so write or fetch them before the next call on the same connection.

    Args:
        rules: the rule book.
        snapshot: what was given so far.
        as_of: when the batch was received (UTC): the SLA runs from it, and absences are looked up on its day.
        auto_routing: if false every lead waits in review, with what would have been done as the suggestion.

    Raises:
        ValueError: the leads are not of one batch.
    """
    routing = rules.routing
    open_count = {owner.id: snapshot.open_count(owner.id) for owner in rules.teams.owners}
    lanes = Lanes(rules.teams, as_of, open_count)
    _hand_over_rules(con, lanes, routing)
    _match(con, enriched, scored, classified, snapshot, routing)
    counts = run_sql(con, "stages/route/count_lanes").fetchall()
    plan = plan_turns(lanes, snapshot.turns, {(method, lane): count for method, lane, count in counts})
    _place(con, plan)
    set_variables(con, route_batch_id=_batch_id(con, classified), route_as_of=as_of, route_is_on=auto_routing)
    decisions = run_sql(con, "stages/route/list_decisions").fetchall() if auto_routing else []
    set_variables(con, route_reasons=json.dumps(explain_decisions(decisions, lanes, routing, plan)))
    _keep(con, "reasons")
    return Routed(
        _contract(con, "list_routed", "routed_leads"),
        _contract(con, "list_review", "review_queue"),
        _loads(con, plan) if auto_routing else [],
        run_sql(con, "stages/route/list_accounts"),
    )


def _batch_id(con: DuckDBPyConnection, classified: DuckDBPyRelation) -> str:
    """The one batch of all leads, carried as a constant: as a column it is a third of what must be held in memory."""
    [(batch_id, other)] = run_sql(con, "stages/route/batch_ids", classified=classified).fetchall()
    if batch_id != other:
        raise ValueError(f"leads of one batch are routed at a time, not of {batch_id} and {other}")
    return batch_id or ""


def _hand_over_rules(con: DuckDBPyConnection, lanes: Lanes, routing: RoutingRules) -> None:
    """Make the rules and owners tables; a score is compared by its band among all cuts that the rules make."""
    whens = [rule.when for rule in routing.rules]
    from_cuts = sorted({w.min_lead_score for w in whens if w.min_lead_score is not None})
    above_cuts = sorted({w.max_lead_score for w in whens if w.max_lead_score is not None})
    rules = []
    for number, rule in enumerate(routing.rules):
        low, high = rule.when.min_lead_score, rule.when.max_lead_score
        rules.append(
            {
                "rule_number": number,
                "rule_id": rule.id,
                "team": rule.team,
                "team_number": lanes.team_numbers.get(rule.team),
                "review_code": rule.review_code if rule.is_review else None,
                "has_owners": not rule.is_review and bool(lanes.available(rule.team)),
                "sla_minutes": {priority: routing.sla_minutes(rule, priority) for priority in PRIORITIES},
                **{name: rule.when.listed(name) for name in LISTED},
                "lowest_band": None if low is None else _band(low, from_cuts, above_cuts),
                "highest_band": None if high is None else _band(high, from_cuts, above_cuts),
            }
        )
    set_variables(
        con,
        route_rules=json.dumps(rules),
        route_owners=json.dumps(lanes.owner_rows()),
        route_asked=[name for name in LISTED if any(when.listed(name) for when in whens)],
        route_score_from=from_cuts,
        route_score_above=above_cuts,
    )
    _keep(con, "rules")
    _keep(con, "owners")


def _band(score: float, from_cuts: list[float], above_cuts: list[float]) -> int:
    """How many cuts the score passes; ``match_rules.sql`` counts the same for each lead."""
    return sum(score >= cut for cut in from_cuts) + sum(score > cut for cut in above_cuts)


def _match(
    con: DuckDBPyConnection,
    enriched: DuckDBPyRelation,
    scored: DuckDBPyRelation,
    classified: DuckDBPyRelation,
    snapshot: RoutingSnapshot,
    routing: RoutingRules,
) -> None:
    accounts = snapshot.accounts
    if accounts is None:
        accounts = run_sql(con, "stages/route/no_accounts")
    if not any(rule.when.asks_score for rule in routing.rules):
        scored = scored.limit(0)
    _keep(con, "matched", "match_rules", enriched=enriched, scored=scored, classified=classified)
    _keep(con, "companies", "group_companies", accounts=accounts)
    _keep(con, "sorted", "sort_leads")
    con.execute("DROP TABLE route_matched")


def _place(con: DuckDBPyConnection, plan: Plan) -> None:
    set_variables(
        con,
        route_stretches=json.dumps(plan.stretch_rows()),
        route_slot_owners=json.dumps(plan.slot_owners()),
        route_rooms=json.dumps(plan.room_rows()),
    )
    for name in ("stretches", "slots", "rooms"):
        _keep(con, name)
    _keep(con, "placed", "place_leads")
    con.execute("DROP TABLE route_sorted")


def _loads(con: DuckDBPyConnection, plan: Plan) -> list[LoadRow]:
    by_account = run_sql(con, "stages/route/count_account_leads").fetchall()
    return [
        *(LoadRow("", pool, turns, 0) for pool, turns in plan.turns_passed().items()),
        *(LoadRow(owner, pool, 0, given) for (owner, pool), given in plan.given().items()),
        *(LoadRow(owner, "", 0, given) for owner, given in by_account),
    ]


def _keep(con: DuckDBPyConnection, table: str, statement: str = "", **inputs: DuckDBPyRelation) -> None:
    """Run a statement of this stage into the temporary table ``route_<table>``."""
    relation = run_sql(con, f"stages/route/{statement or table}", **inputs)
    relation.query("_", f'CREATE OR REPLACE TEMP TABLE "route_{table}" AS FROM _')


def _contract(con: DuckDBPyConnection, statement: str, table: str) -> DuckDBPyRelation:
    return run_sql(con, f"stages/route/{statement}").project(cast_projection(table))
