"""Tells webhooks that ask for it which open leads changed their priority: CloudEvents 1.0, through the outbox.

Belongs here: which leads, and what their events say. Does not belong here: scoring (``rescoring``), other events of
leads' lives (``lead_events``) and sending (``delivering``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.lead_events import MOST_EVENTS, Happening, asking, post_happenings
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.destinations.web import PRIORITY_CHANGED, WebhookDestination
from aiqleads_pipeline.stages.engine import run_sql
from aiqleads_pipeline.tables import SCORES_TABLE, all_batches
from resources.store import rescorings

if TYPE_CHECKING:
    from sqlalchemy import Connection

# From where these events come, as CloudEvents name it.
SOURCE = "/aiqleads/rescoring"


@dataclass(frozen=True)
class PriorityChanges:
    """What scores change, the most urgent first, as events; and how many more there were."""

    happenings: list[Happening]
    left_out_count: int = 0


def askers(outside: Outside) -> list[WebhookDestination]:
    """The destinations that ask for these events."""
    return [each for each in asking(outside) if PRIORITY_CHANGED in each.events]


def priority_changes(
    con: DuckDBPyConnection, outside: Outside, scores: DuckDBPyRelation, batch_id: str, now: datetime
) -> PriorityChanges:
    """What these scores change; ``MOST_EVENTS`` at most, all others are counted.

    Scores that were written but never noted (their writer was killed) count as not written: nobody was told.
    """
    noted = rescorings.noted_batches(outside.store)
    last_all = rescorings.last_rescoring(outside.store, "all")
    since = last_all.batch_id if last_all else ""
    batches = [batch for batch in outside.lake.batches(SCORES_TABLE) if batch in noted and batch >= since]
    paths = [outside.lake.path(SCORES_TABLE, batch) for batch in batches]
    if paths:
        before = con.read_parquet(paths, hive_partitioning=False).project("lead_id, priority, scored_at")
    else:
        before = con.sql("SELECT NULL::UUID lead_id, NULL::VARCHAR priority, NULL::TIMESTAMPTZ scored_at LIMIT 0")
    found = run_sql(
        con,
        "marts/priority_changes",
        scores=scores,
        scores_before=before,
        classified_leads=all_batches(con, outside, "classified_leads"),
        routed_leads=all_batches(con, outside, "routed_leads"),
    )
    rows = found.limit(MOST_EVENTS).fetchall()
    changes_count = rows[0][-1] if rows else 0
    return PriorityChanges([_happening(row, batch_id, now) for row in rows], changes_count - len(rows))


def post_changes(con: Connection, changes: PriorityChanges, destinations: Sequence[WebhookDestination]) -> None:
    """One event per lead for the destinations whose teams and priorities (before or now) it is of, within the caller's
    transaction; and one that says how many were left out."""
    if changes.happenings:
        left_out = {PRIORITY_CHANGED: changes.left_out_count} if changes.left_out_count else {}
        post_happenings(con, destinations, changes.happenings, left_out, changes.happenings[0].at)


def _happening(row: tuple[Any, ...], batch_id: str, now: datetime) -> Happening:
    lead_id, before, priority, lead_score, override_reason, team, _ = row
    data = {
        "lead_id": str(lead_id),
        "priority_before": before,
        "priority": priority,
        "lead_score": round(lead_score, 2),
        "override_reason": override_reason,
    }
    return Happening(
        PRIORITY_CHANGED, str(lead_id), batch_id, now, data, team, frozenset({before, priority}), source=SOURCE
    )
