"""What happened to leads between two times, and up to when it was told.

Belongs here: reading and the cursor. Does not belong here: who is told what (``aiqleads_pipeline.lead_events``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from resources.store.database import statement
from resources.store.fetch import fetch_table

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection

    from resources.store.database import Store

CURSOR = "lead_events"


@dataclass(frozen=True)
class DoneBatch:
    """A batch of leads that was done."""

    batch_id: str
    source: str
    channel: str
    finished_at: datetime
    counts: dict[str, Any]


def told_until(store: Store) -> datetime | None:
    """Up to when leads' lives were told; None before the first time."""
    with store.read() as con:
        return con.execute(statement("lead_events/read_cursor"), {"name": CURSOR}).scalar()


def tell_on(store: Store, until: datetime, tell: Callable[[Connection], None]) -> None:
    """Post what happened and move the cursor, in one transaction. Who tells at the same time tells nothing twice: the
    keys of notices see to that."""
    with store.transaction("store:tell_lead_events") as con:
        tell(con)
        con.execute(statement("lead_events/save_cursor"), {"name": CURSOR, "until": until})


def happened(store: Store, since: datetime, until: datetime, types: Collection[str]) -> pa.Table:
    """``type, lead_id`` (Arrow's UUID), ``key, at, data`` (JSON) of what happened to leads between two times (UTC),
    of the types asked for."""
    import pyarrow as pa

    columns = {
        "type": pa.string(),
        "lead_id": pa.uuid(),
        "key": pa.string(),
        "at": pa.timestamp("us", "UTC"),
        "data": pa.string(),
    }
    with store.read() as con:
        return fetch_table(
            con, "lead_events/happened", {"since": since, "until": until, "types": sorted(types)}, columns
        )


def batches_done(store: Store, since: datetime, until: datetime) -> list[DoneBatch]:
    """The batches of leads that were done between two times (UTC), in their order."""
    with store.read() as con:
        rows = con.execute(statement("lead_events/batches_done"), {"since": since, "until": until})
        return [
            DoneBatch(row.batch_id, row.source, row.channel, row.finished_at, json.loads(row.counts or "{}"))
            for row in rows
        ]
