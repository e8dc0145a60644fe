"""The outbox: intents of delivery, who works on them, and what became of them.

Belongs here: claiming for files, marking, delivering again. Does not belong here: writing intents (``routing``, in the
transaction that routes the lead; ``reviews``; ``notices``), claiming within budgets (``lanes``) and sending. An intent
with ``next_attempt_at`` is due on its own at that time; one without goes out with its batch's file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from resources.store.database import statement

if TYPE_CHECKING:
    from resources.store.database import Store
    from resources.store.leases import Lease

_ANY_ID = (UUID(int=0), UUID(int=(1 << 128) - 1))


@dataclass(frozen=True)
class Delivery:
    """One intent of delivery. ``attempts`` counts this one too while it is in flight."""

    delivery_id: UUID
    lead_id: UUID
    batch_id: str
    destination: str
    priority: int
    state: str
    attempts: int
    next_attempt_at: datetime | None
    last_error_code: str | None
    external_id: str | None
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True)
class Failure:
    """An attempt that failed; without ``next_attempt_at`` it was the last."""

    delivery: Delivery
    error_code: str | None
    next_attempt_at: datetime | None


def delivery_id(lead_id: UUID, destination: str) -> UUID:
    """The id that a lead's delivery to a destination has on every attempt. Twin of ``sql/macros/delivery_id.sql``.

    The lead's id with its middle moved out and 24 bits of the destination's hash at the end: a lead's deliveries lie
    side by side, and ids ascend as leads do. One to one while rows of a drop count less than 2^36.
    """
    return UUID(_stem(lead_id) + hashlib.md5(destination.encode(), usedforsecurity=False).hexdigest()[:6])


def claim_due(store: Store, destination: str, now: datetime, hold_seconds: float, limit: int) -> list[Delivery]:
    """Take up to ``limit`` due deliveries of a destination, the most urgent first; nobody else gets them.

    They must be marked within ``hold_seconds``; after that they are due again.
    """
    wanted = {
        "destination": destination,
        "now": now,
        "hold_until": now + timedelta(seconds=hold_seconds),
        "row_limit": limit,
    }
    with store.transaction("store:claim_deliveries") as con:
        taken = [Delivery(*row) for row in con.execute(statement("deliveries/claim"), wanted)]
    return sorted(taken, key=lambda each: (each.priority, each.delivery_id))


def mark_delivered(store: Store, delivered: Sequence[tuple[UUID, str | None]], now: datetime) -> None:
    """Deliveries arrived; each with the record's id at the destination where it is known."""
    if delivered:
        ids, external_ids = zip(*delivered, strict=True)
        arrived = {"delivery_ids": list(ids), "external_ids": list(external_ids), "now": now}
        with store.transaction("store:mark_delivered") as con:
            con.execute(statement("deliveries/mark_delivered"), arrived)


def mark_failed(store: Store, failures: Sequence[Failure]) -> None:
    """Attempts failed: tried again at their time, or dead. One whose hold ran out is left to its new holder."""
    if failures:
        failed = {
            "delivery_ids": [each.delivery.delivery_id for each in failures],
            "attempts": [each.delivery.attempts for each in failures],
            "error_codes": [each.error_code for each in failures],
            "next_attempts_at": [each.next_attempt_at for each in failures],
        }
        with store.transaction("store:mark_delivery_failed") as con:
            con.execute(statement("deliveries/mark_failed"), failed)


def mark_batch_delivered(
    store: Store, batch_id: str, destination: str, now: datetime, lease: Lease | None = None
) -> None:
    """The batch's file went out: all its deliveries to that destination are delivered.

    Raises:
        LeaseLost.
    """
    with store.transaction("store:mark_batch_delivered", lease) as con:
        sent = {"batch_id": batch_id, "destination": destination, "now": now}
        con.execute(statement("deliveries/mark_batch_delivered"), sent)


def extend_holds(store: Store, held: Sequence[Delivery], until: datetime) -> set[UUID]:
    """Hold claimed deliveries for longer; those that are still this claim's."""
    if not held:
        return set()
    longer = {
        "delivery_ids": [each.delivery_id for each in held],
        "attempts": [each.attempts for each in held],
        "hold_until": until,
    }
    with store.transaction("store:extend_holds") as con:
        return set(con.execute(statement("deliveries/extend"), longer).scalars())


def deliver_again(
    store: Store,
    now: datetime,
    delivery_ids: Sequence[UUID] | None = None,
    destination: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    states: Sequence[str] = ("dead",),
) -> int:
    """Let deliveries be made again, under the same ids; how many. What is being sent just now, and what goes out with
    its batch's file, is left alone.

    Args:
        now: they are due at once.
        delivery_ids, destination: which; None: any.
        since, until: when their leads were routed; None: at any time.
        states: ``dead``, ``delivered``, ``pending`` (those that wait for a later attempt), ``cancelled``.
    """
    wanted = {
        "now": now,
        "delivery_ids": None if delivery_ids is None else list(delivery_ids),
        "destination": destination,
        "since": since,
        "until": until,
        "states": list(states),
    }
    with store.transaction("store:deliver_again") as con:
        return len(con.execute(statement("deliveries/deliver_again"), wanted).all())


def find_delivery(store: Store, wanted: UUID) -> Delivery | None:
    """One delivery by its id."""
    with store.read() as con:
        searched = {"delivery_id": wanted, "lead_id": _lead_of(wanted)}
        found = con.execute(statement("deliveries/find"), searched).first()
    return None if found is None else Delivery(*found)


def count_batch(store: Store, batch_id: str) -> dict[str, dict[str, int]]:
    """Where the deliveries of a batch stand: destination -> state -> count."""
    counts: dict[str, dict[str, int]] = {}
    with store.read() as con:
        for destination, state, count in con.execute(statement("deliveries/count_batch"), {"batch_id": batch_id}):
            counts.setdefault(destination, {})[state] = count
    return counts


def list_deliveries(
    store: Store,
    lead_id: UUID | None = None,
    batch_id: str | None = None,
    state: str | None = None,
    destination: str | None = None,
    limit: int = 1000,
) -> list[Delivery]:
    """Deliveries of a lead, a batch, in a state, to a destination (any of these), by lead."""
    first, last = _ANY_ID if lead_id is None else (UUID(_stem(lead_id) + "000000"), UUID(_stem(lead_id) + "ffffff"))
    wanted = {
        "lead_id": lead_id,
        "first_id": first,
        "last_id": last,
        "batch_id": batch_id,
        "state": state,
        "destination": destination,
        "row_limit": limit,
    }
    with store.read() as con:
        return [Delivery(*row) for row in con.execute(statement("deliveries/list"), wanted)]


def _stem(lead_id: UUID) -> str:
    return lead_id.hex[:17] + lead_id.hex[23:]


def _lead_of(delivery: UUID) -> UUID:
    """The lead that a delivery of a batch's row is of: ``_stem`` turned round."""
    return UUID(delivery.hex[:17] + "000000" + delivery.hex[17:26])
