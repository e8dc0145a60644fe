"""Events of webhooks that were taken in: known again when their sender, or somebody else, repeats them.

Belongs here: remembering. Who may send and what an event holds is the doors' business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from resources.store.database import statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from resources.store.database import Store


@dataclass(frozen=True, slots=True)
class EventKey:
    """An event of a source: SHA-256 of what tells it from others."""

    source: str
    event_sha256: bytes


def find_known(con: Connection, keys: Sequence[EventKey]) -> list[list[UUID] | None]:
    """For each event the leads it brought; None for one that is new."""
    known: list[list[UUID] | None] = [None] * len(keys)
    for row in con.execute(statement("webhooks/find"), _columns(keys)) if keys else ():
        known[row.position - 1] = list(row.lead_ids)
    return known


def remember(con: Connection, events: Sequence[tuple[EventKey, Sequence[UUID]]]) -> None:
    """Note new events, different ones, with the leads they bring, within the caller's transaction.

    Raises:
        psycopg.errors.UniqueViolation, as SQLAlchemy's ``IntegrityError``: somebody else took one of them in meanwhile.
            Do it all again: now it is known.
    """
    if events:
        lead_ids = ["{" + ",".join(map(str, ids)) + "}" for _, ids in events]
        columns = {**_columns([key for key, _ in events]), "lead_ids": lead_ids}
        con.execute(statement("webhooks/insert"), columns)


def forget(store: Store, kept_seconds: float) -> int:
    """Remove events that were taken in longer ago; how many there were."""
    with store.transaction("store:forget_events") as con:
        return con.execute(statement("webhooks/forget"), {"kept_seconds": kept_seconds}).rowcount


def _columns(keys: Sequence[EventKey]) -> dict[str, list[object]]:
    return {"sources": [key.source for key in keys], "events": [key.event_sha256 for key in keys]}
