"""What each source sent, and what enrichment providers cost: the store's share of what they are worth.

Belongs here: counting. Does not belong here: what became of leads (the lake's tables) and shrinking (``sql/marts``).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from resources.store.database import statement
from resources.store.fetch import fetch_table

if TYPE_CHECKING:
    import pyarrow as pa

    from resources.store.database import Store


def rows_arrived(store: Store) -> pa.Table:
    """``source, received_count, rejected_count, duplicates_count`` over all batches that are done."""
    import pyarrow as pa

    counts = dict.fromkeys(("received_count", "rejected_count", "duplicates_count"), pa.int64())
    with store.read() as con:
        return fetch_table(con, "sources/arrived", {}, {"source": pa.string(), **counts})


def providers_spent(store: Store) -> pa.Table:
    """``provider, calls_count, failed_calls_count, facts_count, refused_facts_count`` of the calls that are remembered,
    and ``cost_usd`` of all time."""
    import pyarrow as pa

    names = ("calls_count", "failed_calls_count", "facts_count", "refused_facts_count")
    types = {"provider": pa.string(), **dict.fromkeys(names, pa.int64()), "cost_usd": pa.float64()}
    with store.read() as con:
        return fetch_table(con, "sources/providers_spent", {}, types)


def has_new_outcomes(store: Store, since: datetime, until: datetime) -> bool:
    """Whether a file of outcomes was done between two times (UTC)."""
    with store.read() as con:
        return bool(con.execute(statement("sources/has_new_outcomes"), {"since": since, "until": until}).scalar())
