"""Later completion: leads that went on with less are asked about again, when whoever was away is back.

Belongs here: due leads, kind by kind, through the same waterfall. What is found is added beside the lake
(``enrichment_additions``) and laid over by readers; batches stay what they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.enriching.batches import ask_about, relation_of
from aiqleads_pipeline.enriching.desk import Desk
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.enrichment import FIELD_KINDS
from aiqleads_pipeline.stages.enrich_by_providers import lay_over, list_wanted
from resources.lake import TableMissing
from resources.store import enrichment_cache, enrichment_gaps, provider_permits

LEADS_AT_ONCE = 5000
CALLS_DAYS = 30


@dataclass(frozen=True)
class Completed:
    """What came of one visit: leads that were due, those that are complete now, facts added."""

    due_count: int = 0
    closed_count: int = 0
    facts_count: int = 0


def complete(
    outside: Outside, con: DuckDBPyConnection, desk: Desk, kind: str, seconds: float, most_leads: int = LEADS_AT_ONCE
) -> Completed:
    """Ask again about the due leads of a kind, at most ``most_leads``, within ``seconds``.

    A lead whose kind nobody tells about any more is closed: it waits for nothing. One whose batch has not written it
    yet goes on waiting.
    """
    due = enrichment_gaps.due_gaps(desk.store, kind, desk.now(), most_leads)
    if not due:
        return Completed()
    leads, early = _leads(outside, con, due)
    fields = [name for name in desk.rules.wanted_fields if FIELD_KINDS[name] == kind]
    additions: list[enrichment_gaps.Addition] = []
    waiting: set[UUID] = early
    if fields and leads is not None:
        wanted = list_wanted(con, leads, fields)
        outcome, subjects = ask_about(con, desk, wanted, seconds)
        facts = relation_of(con, wanted, outcome, subjects)
        rows = facts.filter("field IS NOT NULL").project(
            "lead_id, field, value, provider, confidence_share, cost_usd, answered_at"
        )
        additions = [enrichment_gaps.Addition(*row) for row in rows.fetchall()]
        waiting = early | {row[0] for row in facts.filter("gap_code IS NOT NULL").project("lead_id").fetchall()}
    closed = [lead_id for lead_id in due if lead_id not in waiting]
    added = enrichment_gaps.settle_gaps(desk.store, kind, closed, sorted(waiting), additions, desk.now())
    return Completed(len(due), len(closed), added)


def forget_old(desk: Desk) -> None:
    """Remove answers that are too old to count, and calls that are too old for the scoreboard."""
    now = desk.now()
    for name in desk.rules.content.providers:
        longest = max(desk.rules.keep_days(name), desk.rules.content.keep_days.unknown)
        enrichment_cache.expire_answers(desk.store, name, now - timedelta(days=longest))
    provider_permits.expire_calls(desk.store, now - timedelta(days=CALLS_DAYS))


def with_additions(outside: Outside, con: DuckDBPyConnection, enriched: DuckDBPyRelation) -> DuckDBPyRelation:
    """``enriched`` with the facts that came later; what leads still wait for is in ``degraded``. Only leads that were
    asked about again and got a fact, or wait no more, are touched; where there are none it is ``enriched`` itself."""
    additions = enrichment_gaps.list_additions(outside.store)
    settled = enrichment_gaps.list_settled(outside.store)
    if not settled.num_rows:
        return enriched
    gaps = enrichment_gaps.list_open_gaps(outside.store)
    for name, table in (("additions", additions), ("settled", settled), ("open_gaps", gaps)):
        con.from_arrow(table).query("_", f"CREATE OR REPLACE TEMP TABLE provider_{name} AS FROM _")
    settled_leads = con.table("provider_settled").set_alias("settled")
    said = con.sql(
        "SELECT lead_id, field, value, provider, confidence_share, NULL::VARCHAR AS gap_code FROM provider_additions "
        "UNION ALL SELECT lead_id, NULL, NULL, NULL, NULL, reason_code FROM provider_open_gaps "
        "SEMI JOIN provider_settled USING (lead_id)"
    )
    base = enriched.set_alias("base")
    changed = lay_over(con, base.join(settled_leads, "base.lead_id = settled.lead_id", how="semi"), said)
    return base.join(settled_leads, "base.lead_id = settled.lead_id", how="anti").union(changed)


def _leads(
    outside: Outside, con: DuckDBPyConnection, due: dict[UUID, str]
) -> tuple[DuckDBPyRelation | None, set[UUID]]:
    """The due leads as they are now, kept as the temporary table ``provider_due_leads`` (None without any), and those
    that their batch has not written yet."""
    early: set[UUID] = set()
    made = "CREATE OR REPLACE TEMP TABLE provider_due_leads AS FROM _"
    for batch_id, lead_ids in _by_batch(due).items():
        try:
            batch = outside.lake.read(con, "enriched_leads", batch_id)
        except TableMissing:
            early.update(lead_ids)
            continue
        listed = ", ".join(f"'{lead_id}'" for lead_id in lead_ids)
        batch.filter(f"lead_id IN ({listed})").query("_", made)
        made = "INSERT INTO provider_due_leads FROM _"
    if made.startswith("CREATE"):
        return None, early
    return with_additions(outside, con, con.table("provider_due_leads")), early


def _by_batch(due: dict[UUID, str]) -> dict[str, Sequence[UUID]]:
    found: dict[str, list[UUID]] = {}
    for lead_id, batch_id in due.items():
        found.setdefault(batch_id, []).append(lead_id)
    return {**found}
