"""A small sales organisation and batches of leads for it, written as plain dictionaries."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from aiqleads_pipeline.rules.routing import RoutingRules, load_routing
from aiqleads_pipeline.rules.teams import TeamRules, load_teams
from aiqleads_pipeline.stages.route import LoadRow, Routed, RoutingSnapshot, route_leads

AS_OF = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
A_LEAD = {
    "source": "web", "source_channel": "upload", "country": None, "region": None, "product_interest": None,
    "email_kind": None, "company_domain": None, "lead_score": 50.0, "industry_code": "unknown",
    "size_segment": "unknown", "priority": "P3", "territory": "rest_of_world",
}  # fmt: skip
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


@dataclass(frozen=True)
class Book:
    """The part of the rule book that routing reads."""

    teams: TeamRules
    routing: RoutingRules


@dataclass(frozen=True)
class World:
    """What the store would remember between batches."""

    con: DuckDBPyConnection
    book: Book
    loads: tuple[LoadRow, ...] = ()
    closed: tuple[tuple[str, int], ...] = ()
    accounts: tuple[tuple[str, str, str], ...] = ()

    def snapshot(self) -> RoutingSnapshot:
        """The state as the store hands it over."""
        turns: dict[str, int] = {}
        given: dict[str, int] = {}
        for row in self.loads:
            turns[row.pool] = turns.get(row.pool, 0) + row.turns_count
            given[row.owner] = given.get(row.owner, 0) + row.given_count
        known = [{"company_domain": d, "owner": o, "team": t} for d, o, t in self.accounts]
        accounts = self.con.sql(
            """SELECT account.* FROM (SELECT unnest(from_json($known,
            '[{"company_domain": "VARCHAR", "owner": "VARCHAR", "team": "VARCHAR"}]')) AS account)""",
            params={"known": json.dumps(known)},
        )
        state = {"turns": turns, "given": given, "closed": dict(self.closed)}
        return RoutingSnapshot.of(json.loads(json.dumps(state)), accounts)

    def route(self, leads: Iterable[Mapping[str, Any]], first_row: int = 1, **options: Any) -> Routed:
        """Route leads that name only what matters; the rest is `A_LEAD`."""
        rows = [
            {**A_LEAD, **lead, "row_number": n, "lead_id": str(uuid.UUID(int=n)), "batch_id": "b1"}
            for n, lead in enumerate(leads, first_row)
        ]
        types = {
            "lead_id": "UUID", "batch_id": "VARCHAR", "row_number": "BIGINT", **dict.fromkeys(A_LEAD, "VARCHAR"),
            "lead_score": "DOUBLE",
        }  # fmt: skip
        table = self.con.sql(
            "SELECT lead.* FROM (SELECT unnest(from_json($rows, $types)) AS lead)",
            params={"rows": json.dumps(rows), "types": json.dumps([types])},
        )
        enriched = table.select(
            "lead_id, batch_id, row_number, source, source_channel, country, region, product_interest, email_kind, "
            "company_domain, industry_code"
        )
        classified = table.select("lead_id, batch_id, industry_code, size_segment, priority, territory")
        scored = table.select("lead_id, batch_id, lead_score")
        snapshot, as_of = options.pop("snapshot", None) or self.snapshot(), options.pop("as_of", AS_OF)
        return route_leads(self.con, enriched, scored, classified, self.book, snapshot, as_of=as_of, **options)

    def after(self, routed: Routed) -> World:
        """The world once the batch is committed."""
        fresh = routed.accounts.fetchall()
        moved = {domain for domain, _, _ in fresh}
        kept = [account for account in self.accounts if account[0] not in moved]
        return replace(self, loads=(*self.loads, *routed.loads), accounts=(*kept, *fresh))


def owners_by_row(routed: Routed) -> dict[int, str]:
    """The owner of each routed lead by its row."""
    return {lead.int: owner for lead, owner in routed.routed.select("lead_id, owner").order("lead_id").fetchall()}


def reviews_by_row(routed: Routed) -> dict[int, tuple[str, dict[str, Any]]]:
    """Why each lead waits and what is suggested, by its row."""
    rows = routed.review.select("lead_id, reason_code, suggestion").order("lead_id").fetchall()
    return {lead.int: (code, json.loads(suggestion)) for lead, code, suggestion in rows}


def make_world(con: DuckDBPyConnection, folder: Path, teams: str, routing: str, **memory: Any) -> World:
    """A world from the text of both rule files, which are written into the folder."""
    (folder / "teams.yaml").write_text(teams, encoding="utf-8")
    (folder / "routing.yaml").write_text(routing, encoding="utf-8")
    return World(con, Book(load_teams(folder), load_routing(folder)), **memory)


def of(domain: str, **more: Any) -> dict[str, Any]:
    return {"company_domain": domain, **more}


def reasons_of(routed: Routed) -> dict[int, dict[str, Any]]:
    return {lead.int: json.loads(text) for lead, text in routed.routed.select("lead_id, reasons").fetchall()}
