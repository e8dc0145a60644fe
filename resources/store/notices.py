"""Notices: what is told to destinations that is no lead (alerts, promises about to break, events for integrators).

Belongs here: writing one together with its intents of delivery, and reading it back. Does not belong here: what a
notice says (who posts it) and sending (the worker that drains the outbox).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from resources.store.database import statement
from resources.store.deliveries import delivery_id

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from resources.store.database import Store

NOTICES_BATCH = "notices"  # the batch_id of their deliveries


def post(
    con: Connection,
    topic: str,
    body: Mapping[str, Any],
    destinations: Sequence[str],
    priority: int,
    now: datetime,
    dedup_key: str | None = None,
) -> UUID | None:
    """Write a notice and its intents of delivery, within the caller's transaction; each is due at once.

    Args:
        topic: what it is about, parts separated by full stops (``lead.overdue``); the type of a webhook's event.
        body: JSON, without secrets.
        destinations: names as in the rules; one that is not (or no more) in the rules waits until it is.
        priority: 1 is the most urgent, to 4.
        now: UTC.
        dedup_key: a notice of this key is posted once for ever.

    Returns:
        Its id; None if a notice of that key was posted before (then nothing is written).
    """
    notice = new_notice_id(now)
    row = {"notice_id": notice, "topic": topic, "body": json.dumps(body), "dedup_key": dedup_key, "now": now}
    if con.execute(statement("notices/insert"), row).first() is None:
        return None
    if names := sorted(set(destinations)):
        intents = {
            "notice_id": notice,
            "batch_id": NOTICES_BATCH,
            "priority": priority,
            "now": now,
            "delivery_ids": [delivery_id(notice, name) for name in names],
            "destinations": names,
        }
        con.execute(statement("notices/insert_deliveries"), intents)
    return notice


@dataclass(frozen=True)
class Notice:
    """One of many notices that are posted together: as for ``post``."""

    topic: str
    body: Mapping[str, Any]
    destinations: Sequence[str]
    priority: int
    dedup_key: str


def post_many(con: Connection, wanted: Sequence[Notice], now: datetime) -> set[str]:
    """Write notices and their intents of delivery in two statements, within the caller's transaction; those whose key
    was posted before are passed by. Returns the keys that were new."""
    if not wanted:
        return set()
    by_id = {new_notice_id(now): each for each in wanted}
    rows = {
        "notice_ids": list(by_id),
        "topics": [each.topic for each in wanted],
        "bodies": [json.dumps(each.body) for each in wanted],
        "dedup_keys": [each.dedup_key for each in wanted],
        "now": now,
    }
    new = sorted(con.execute(statement("notices/insert_many"), rows).scalars())
    intents = [(notice, name) for notice in new for name in sorted(set(by_id[notice].destinations))]
    values = {
        "batch_id": NOTICES_BATCH,
        "now": now,
        "delivery_ids": [delivery_id(notice, name) for notice, name in intents],
        "notice_ids": [notice for notice, _ in intents],
        "destinations": [name for _, name in intents],
        "priorities": [by_id[notice].priority for notice, _ in intents],
    }
    con.execute(statement("notices/insert_many_deliveries"), values)
    return {by_id[notice].dedup_key for notice in new}


def read_notices(store: Store, notice_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """What notices say, as they are delivered: ``topic, created_at`` (ISO 8601) and the members of their body."""
    with store.read() as con:
        rows = con.execute(statement("notices/read"), {"notice_ids": list(notice_ids)})
        return {
            row.notice_id: {**row.body, "topic": row.topic, "created_at": row.created_at.isoformat()} for row in rows
        }


def new_notice_id(now: datetime) -> UUID:
    """A UUID (version 8) that ascends by time and has the 24 zero bits that ids of deliveries leave out."""
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    random = int.from_bytes(os.urandom(6), "big")
    high, low = random >> 36, random & ((1 << 36) - 1)
    return UUID(int=(milliseconds << 80) | (8 << 76) | (high << 64) | (2 << 62) | low)
