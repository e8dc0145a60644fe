"""Leads that went on without what a provider could have said, and the facts that came later.

Belongs here: what waits, until when, and what was added. Does not belong here: how leads are completed
(``aiqleads_pipeline.enriching.completing``). Tables of the lake never change for it: readers lay additions over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from resources.store.database import statement
from resources.store.fetch import fetch_table

if TYPE_CHECKING:
    import pyarrow as pa

    from resources.store.database import Store
    from resources.store.leases import Lease

# Tried again after five minutes, then ever later, at least hourly; given up after about two weeks.
_AGAIN = {"first_seconds": 300, "longest_seconds": 3600, "most_attempts": 350}
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True)
class Gap:
    """A lead that lacks what a kind of provider could have said, and why."""

    lead_id: UUID
    kind: str
    reason_code: str


@dataclass(frozen=True)
class Addition:
    """A fact that came later."""

    lead_id: UUID
    field: str
    value: str
    provider: str
    confidence_share: float
    cost_usd: float
    answered_at: datetime


def open_gaps(
    store: Store, batch_id: str, gaps: Sequence[Gap], now: datetime, next_at: datetime, lease: Lease | None = None
) -> None:
    """Note leads that wait; known ones stay one row."""
    for start in range(0, len(gaps), _ROWS_AT_ONCE):
        some = gaps[start : start + _ROWS_AT_ONCE]
        with store.transaction("store:open_gaps", lease) as con:
            con.execute(
                statement("enrichment/open_gaps"),
                {
                    "lead_ids": [gap.lead_id for gap in some],
                    "kinds": [gap.kind for gap in some],
                    "reason_codes": [gap.reason_code for gap in some],
                    "batch_id": batch_id,
                    "now": now,
                    "next_at": next_at,
                },
            )


def due_gaps(store: Store, kind: str, now: datetime, limit: int) -> dict[UUID, str]:
    """Leads whose completion is due, and their batches; the oldest first."""
    with store.read() as con:
        rows = con.execute(statement("enrichment/due_gaps"), {"kind": kind, "now": now, "row_limit": limit})
        return {row.lead_id: row.batch_id for row in rows}


def settle_gaps(
    store: Store,
    kind: str,
    closed: Sequence[UUID],
    postponed: Sequence[UUID],
    additions: Sequence[Addition],
    now: datetime,
) -> int:
    """In one transaction: keep what was found, close what is complete, postpone the rest (ever longer).

    Returns how many facts are new.
    """
    with store.transaction("store:settle_gaps") as con:
        found = con.execute(
            statement("enrichment/save_additions"),
            {
                "lead_ids": [each.lead_id for each in additions],
                "fields": [each.field for each in additions],
                "values": [each.value for each in additions],
                "providers": [each.provider for each in additions],
                "confidences": [each.confidence_share for each in additions],
                "costs": [each.cost_usd for each in additions],
                "answered_ats": [each.answered_at for each in additions],
                "now": now,
            },
        ).all()
        con.execute(statement("enrichment/close_gaps"), {"kind": kind, "lead_ids": sorted(closed), "now": now})
        con.execute(
            statement("enrichment/postpone_gaps"),
            {"kind": kind, "lead_ids": sorted(postponed), "now": now, **_AGAIN},
        )
    return len(found)


def list_additions(store: Store, lead_ids: Sequence[UUID] | None = None) -> pa.Table:
    """Facts that came later (of all leads by default): ``lead_id`` (Arrow's UUID), ``field``, ``value``, ``provider``,
    ``confidence_share``, ``cost_usd``, ``answered_at``."""
    import pyarrow as pa

    types = {
        "lead_id": pa.uuid(),
        **dict.fromkeys(("field", "value", "provider"), pa.string()),
        **dict.fromkeys(("confidence_share", "cost_usd"), pa.float64()),
        "answered_at": pa.timestamp("us", "UTC"),
    }
    asked = None if lead_ids is None else list(lead_ids)
    with store.read() as con:
        return fetch_table(con, "enrichment/list_additions", {"lead_ids": asked}, types)


def list_open_gaps(store: Store, lead_ids: Sequence[UUID] | None = None) -> pa.Table:
    """What leads still wait for: ``lead_id`` (Arrow's UUID), ``kind``, ``reason_code``."""
    import pyarrow as pa

    types = {"lead_id": pa.uuid(), "kind": pa.string(), "reason_code": pa.string()}
    asked = None if lead_ids is None else list(lead_ids)
    with store.read() as con:
        return fetch_table(con, "enrichment/list_open_gaps", {"lead_ids": asked}, types)


def list_settled(store: Store) -> pa.Table:
    """Leads that got a fact later, or wait for less than when their batch ended: ``lead_id`` (Arrow's UUID)."""
    import pyarrow as pa

    with store.read() as con:
        return fetch_table(con, "enrichment/list_settled", {}, {"lead_id": pa.uuid()})


def count_gaps(store: Store) -> list[dict[str, Any]]:
    """Leads that wait: ``kind, reason_code, leads_count, next_at``."""
    with store.read() as con:
        return [dict(row) for row in con.execute(statement("enrichment/count_gaps")).mappings()]
