"""The review queue: leads that wait for a person, and what the person decides.

Belongs here: listing and resolving. Does not belong here: who comes to wait (``routing`` writes the rows).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from resources.store.database import statement
from resources.store.deliveries import delivery_id
from resources.store.fetch import fetch_table

if TYPE_CHECKING:
    import pyarrow as pa

    from resources.store.database import Store

_PRIORITIES = {"P1": 1, "P2": 2, "P3": 3, "P4": 4}
_DEFAULT_PRIORITY = 3


@dataclass(frozen=True)
class Promise:
    """When somebody must have touched a lead."""

    priority: str
    minutes: int
    due_at: datetime


Promising = Callable[[Mapping[str, Any]], Promise | None]


def list_open(store: Store, limit: int = 100) -> list[dict[str, Any]]:
    """Leads that wait, the longest waiting first: ``lead_id, batch_id, reason_code, suggestion, opened_at``."""
    with store.read() as con:
        return [dict(row) for row in con.execute(statement("reviews/list_open"), {"row_limit": limit}).mappings()]


def leads_of_batch(store: Store, batch_id: str) -> pa.Table:
    """All leads of a batch that wait or waited: ``lead_id`` (Arrow's UUID), ``reason_code, resolved_at, team, owner,
    sla_due_at`` (the last four null while it waits, the last where there is no clock)."""
    import pyarrow as pa

    types = {
        "lead_id": pa.uuid(),
        "reason_code": pa.string(),
        "resolved_at": pa.timestamp("us", "UTC"),
        "team": pa.string(),
        "owner": pa.string(),
        "sla_due_at": pa.timestamp("us", "UTC"),
    }
    with store.read() as con:
        return fetch_table(con, "reviews/of_batch", {"batch_id": batch_id}, types)


def assign(
    store: Store,
    lead_id: UUID | str,
    owner: str,
    team: str,
    by: str,
    destinations: Sequence[str],
    now: datetime,
    promise_of: Promising = lambda suggestion: None,
) -> bool:
    """Give a waiting lead to an owner: resolved, counted in the owner's load, its clock started, its intents of
    delivery written; all or nothing. The deliveries are due at once, each on its own.

    Args:
        lead_id: the lead.
        owner, team: who gets it; that they exist is the caller's business.
        by: who decided.
        destinations: names of the destinations that get the lead.
        now: UTC.
        promise_of: from what routing suggested (``rule_id, priority, ...``) to the promise; None: no clock.

    Returns:
        False if the lead does not wait (any more); then nothing was written.

    Raises:
        ValueError: ``lead_id`` is no UUID.
    """
    lead = lead_id if isinstance(lead_id, UUID) else UUID(lead_id)
    decision = {"lead_id": lead, "team": team, "owner": owner, "resolved_by": by, "now": now}
    with store.transaction("store:assign_review") as con:
        waiting = con.execute(statement("reviews/resolve"), decision).first()
        if waiting is None:
            return False
        con.execute(statement("reviews/add_load"), {"load_id": f"review:{waiting.batch_id}", "owner": owner})
        con.execute(statement("reviews/add_to_total"), {"owner": owner})
        promise = promise_of(waiting.suggestion)
        if promise is not None:
            clock = {
                "lead_id": lead,
                "batch_id": waiting.batch_id,
                "team": team,
                "owner": owner,
                "priority": promise.priority,
                "sla_minutes": promise.minutes,
                "opened_at": waiting.opened_at,
                "due_at": promise.due_at,
                "now": now,
            }
            con.execute(statement("reviews/arm_clock"), clock)
        if destinations:
            intents = {
                "lead_id": lead,
                "batch_id": waiting.batch_id,
                "priority": _PRIORITIES.get(waiting.suggestion.get("priority"), _DEFAULT_PRIORITY),
                "now": now,
                "delivery_ids": [delivery_id(lead, name) for name in destinations],
                "destinations": list(destinations),
            }
            con.execute(statement("reviews/insert_deliveries"), intents)
    return True
