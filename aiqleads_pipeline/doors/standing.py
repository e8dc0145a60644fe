"""Where a lead stands: waiting, in its batch, scored, classified, routed, delivered.

Belongs here: the short public form of a lead's rows, without personal data. The whole story is `aiqleads lead`'s.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from duckdb import DuckDBPyConnection

from aiqleads_pipeline.lead_rows import Rows, rows_of_lead, told_later
from aiqleads_pipeline.outside import Outside
from aiqleads_pipeline.stages.engine import open_engine
from aiqleads_pipeline.tables import SCORES_TABLE, newest_score_batches
from resources.store import batches, intake
from resources.store.intake import TakenIn

SCORE_COLUMNS = (
    "lead_score", "quality_score", "fit_score", "interest_score", "conversion_prob", "score_method",
    "score_method_reason", "score_rung", "model_version", "weights_code", "reasons",
)  # fmt: skip
# What is shown of each table's row. None of these columns holds personal data.
SHOWN: Mapping[str, tuple[str, ...]] = {
    "scored_leads": SCORE_COLUMNS,
    SCORES_TABLE: (
        *SCORE_COLUMNS, "conversion_reasons", "priority", "rules_priority", "override_expires_at", "scored_at",
    ),
    "classified_leads": ("industry_code", "industry_name", "size_segment", "priority", "territory"),
    "routed_leads": ("team", "owner", "rule_id", "reasons", "sla_due_at"),
    "review_queue": ("reason_code", "opened_at", "resolved_at", "team", "owner"),
    "duplicate_leads": ("existing_lead_id", "matched_on", "match_score"),
    "rejected_leads": ("column_name", "code", "message"),
    "deliveries": (
        "delivery_id", "destination", "state", "attempts", "next_attempt_at", "last_error_code", "external_id",
    ),
}  # fmt: skip
_MEMBERS = {
    "scored_leads": "score",
    SCORES_TABLE: "score_now",
    "classified_leads": "class",
    "routed_leads": "route",
    "review_queue": "review",
    "duplicate_leads": "duplicate",
}
# Why a route was taken, for callers that see their own leads only: nothing of it names other owners.
ROUTE_REASONS = ("rule", "when", "team", "method", "because", "pool", "turn", "turns_in_cycle")
_UNDER_WAY = ("waiting", "requested", "running")


class Standings:
    """Looks leads up with an engine of its own; threads take turns at it."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._con: DuckDBPyConnection | None = None
        self._turn = threading.Lock()

    def find(self, lead_id: UUID) -> TakenIn | None:
        """The lead as the doors took it in; None for a lead of a file, or none."""
        return intake.find(self._outside.store, lead_id)

    def describe(self, lead_id: UUID, taken: TakenIn | None, sees_all: bool) -> dict[str, Any] | None:
        """Where the lead stands; None if nobody knows it.

        Args:
            taken: what ``find`` gave.
            sees_all: whether the caller may know of owners other than the lead's.
        """
        if taken is not None and taken.batch_id is None:
            return {"lead_id": str(lead_id), "status": "waiting", **_origin(taken), **self._updates(lead_id)}
        rows = self._rows(lead_id, taken)
        if taken is None and not rows:
            return None
        batch_id = taken.batch_id if taken else next(iter(rows.values()))[0].get("batch_id")
        standing: dict[str, Any] = {"lead_id": str(lead_id), "status": "processing"}
        if taken is not None:
            standing |= _origin(taken)
        if batch_id is not None:
            batch = batches.batch(self._outside.store, batch_id)
            standing["batch"] = {"batch_id": batch_id, "state": batch.state}
            if batch.state not in _UNDER_WAY:
                standing["status"] = batch.state
        standing["status"] = _status(rows) or standing["status"]
        for table, member in _MEMBERS.items():
            if table in rows:
                standing[member] = _shown(table, rows)[0]
        if "rejected_leads" in rows:
            standing["errors"] = _shown("rejected_leads", rows)
        if "route" in standing and not sees_all:
            reasons = standing["route"].get("reasons", {})
            standing["route"]["reasons"] = {name: reasons[name] for name in ROUTE_REASONS if name in reasons}
        standing["deliveries"] = _shown("deliveries", rows)
        return standing | self._updates(lead_id) | self._told_later(lead_id)

    def close(self) -> None:
        """Let the engine go."""
        with self._turn:
            if self._con is not None:
                self._con.close()
                self._con = None

    def _updates(self, lead_id: UUID) -> dict[str, Any]:
        """How often later requests said something that counts, and when last."""
        said = intake.list_updates(self._outside.store, [lead_id])
        if not said.num_rows:
            return {}
        return {"updates": {"count": said.num_rows, "last_at": said["received_at"][-1].as_py().isoformat()}}

    def _told_later(self, lead_id: UUID) -> dict[str, Any]:
        """Which fields providers filled after the batch was done, and what the lead still waits for; no values."""
        later = told_later(self._outside, lead_id)
        added = [
            {name: row[name] for name in ("field", "provider", "confidence_share", "answered_at")}
            for row in later.get("enrichment_additions", ())
        ]
        waits = later.get("enrichment_gaps")
        return ({"additions": added} if added else {}) | ({"waits_for": waits} if waits else {})

    def _rows(self, lead_id: UUID, taken: TakenIn | None) -> Rows:
        with self._turn:
            if self._con is None:
                self._con = open_engine(self._outside.settings)
                self._con.execute("SET threads = 1")
                self._outside.lake.attach(self._con)
            wanted = tuple(table for table in SHOWN if table != SCORES_TABLE)
            wanted = wanted if taken is not None else ("raw_leads", *wanted)
            rows = rows_of_lead(self._con, self._outside, lead_id, taken.batch_id if taken else None, wanted)
            for batch in reversed(newest_score_batches(self._outside) if "routed_leads" in rows else []):
                if newest := rows_of_lead(self._con, self._outside, lead_id, batch, (SCORES_TABLE,)):
                    return rows | newest
            return rows


def _status(rows: Rows) -> str | None:
    """What became of the lead, as far as its batch has come."""
    if "routed_leads" in rows or rows.get("review_queue", [{}])[0].get("resolved_at"):
        return "routed"
    for table, status in (
        ("review_queue", "in_review"),
        ("duplicate_leads", "duplicate"),
        ("rejected_leads", "rejected"),
    ):
        if table in rows:
            return status
    return None


def _origin(taken: TakenIn) -> dict[str, Any]:
    return {"source": taken.source, "received_at": taken.received_at.isoformat()}


def _shown(table: str, rows: Rows) -> list[dict[str, Any]]:
    return [{name: row[name] for name in SHOWN[table] if name in row} for row in rows.get(table, [])]
