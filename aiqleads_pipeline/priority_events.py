"""Tells webhooks that ask for it which open leads changed their priority: CloudEvents 1.0, through the outbox.

Belongs here: which leads, and what an event says. Does not belong here: scoring (``rescoring``) and sending
(``delivering``). Events hold no personal data: who wants to know more asks ``GET /v1/leads/{lead_id}``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.rules.destinations.base import SentDestination
from aiqleads_pipeline.rules.destinations.web import PRIORITY_CHANGED, WebhookDestination
from aiqleads_pipeline.stages.engine import run_sql
from aiqleads_pipeline.tables import SCORES_TABLE, all_batches
from resources.store import notices, rescorings

if TYPE_CHECKING:
    from sqlalchemy import Connection

# New rules may move every lead at once. Of more than these the most urgent are told; the others stand in the table.
MOST_EVENTS = 2_000


@dataclass(frozen=True)
class PriorityChange:
    """An open lead whose priority is another than it was."""

    lead_id: UUID
    priority_before: str
    priority: str
    lead_score: float
    override_reason: str | None
    team: str | None


def askers(outside: Outside) -> list[SentDestination]:
    """The destinations that ask for these events."""
    sent = outside.rules().destinations.sent.values()
    return [each for each in sent if isinstance(each, WebhookDestination) and PRIORITY_CHANGED in each.events]


def priority_changes(con: DuckDBPyConnection, outside: Outside, scores: DuckDBPyRelation) -> list[PriorityChange]:
    """What these scores change, the most urgent first; ``MOST_EVENTS`` at most.

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
    return [PriorityChange(*row) for row in found.limit(MOST_EVENTS).fetchall()]


def post_changes(
    con: Connection,
    changes: Sequence[PriorityChange],
    destinations: Sequence[SentDestination],
    batch_id: str,
    now: datetime,
) -> None:
    """One event per lead for the destinations whose teams and priorities (before or now) it is of, within the caller's
    transaction."""
    for change in changes:
        names = [each.name for each in destinations if _concerns(each, change)]
        if names:
            urgency = int(min(change.priority, change.priority_before)[1])
            event = cloud_event(change, batch_id, now)
            notices.post(con, PRIORITY_CHANGED, event, names, urgency, now, dedup_key=event["id"])


def cloud_event(change: PriorityChange, batch_id: str, now: datetime) -> dict[str, Any]:
    """The event in CloudEvents' JSON format; its id is the same whenever the same scores are told."""
    return {
        "specversion": "1.0",
        "id": f"{PRIORITY_CHANGED}:{batch_id}:{change.lead_id}",
        "source": "/aiqleads/rescoring",
        "type": PRIORITY_CHANGED,
        "subject": str(change.lead_id),
        "time": now.isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json",
        "data": {
            "lead_id": str(change.lead_id),
            "priority_before": change.priority_before,
            "priority": change.priority,
            "lead_score": round(change.lead_score, 2),
            "override_reason": change.override_reason,
        },
    }


def _concerns(destination: SentDestination, change: PriorityChange) -> bool:
    if destination.teams is not None and change.team not in destination.teams:
        return False
    wanted = destination.priorities
    return wanted is None or change.priority in wanted or change.priority_before in wanted
