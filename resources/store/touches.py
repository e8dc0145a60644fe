"""Touches: a known lead that comes again shows intent. One per repeating row, however often its batch is run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from resources.store.bulk import copy_rows
from resources.store.database import statement
from resources.store.fetch import fetch_table

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyRelation

    from resources.store.database import Store
    from resources.store.leases import Lease

REPEAT = "repeat"


def record_repeats(
    store: Store,
    lease: Lease | None,
    batch_id: str,
    duplicates: DuckDBPyRelation | pa.Table,
    touched_at: datetime,
) -> None:
    """Count the repeats of a batch as touches on the leads they repeat; those of an earlier run are replaced.

    Args:
        duplicates: ``duplicate_leads`` of the batch (``lead_id, existing_lead_id``).
        touched_at: when the batch was received (UTC).

    Raises:
        LeaseLost: nothing was recorded.
    """
    touch = {"batch_id": batch_id, "kind": REPEAT}
    with store.transaction("store:record_touches", lease) as con:
        con.execute(statement("touches/stage"))
        copy_rows(con, "new_touches", duplicates, ("lead_id", "existing_lead_id"))
        con.execute(statement("touches/remove"), touch)
        con.execute(statement("touches/insert"), {**touch, "touched_at": touched_at})


def count_touches(store: Store, until: datetime, lead_ids: Sequence[UUID] | None = None) -> pa.Table:
    """How often leads were touched until a time: ``lead_id`` (Arrow's UUID), ``touches_count``, ``last_touched_at``.

    Leads that were not touched are not listed.

    Args:
        until: UTC, included.
        lead_ids: which leads; all by default.
    """
    import pyarrow as pa

    asked = None if lead_ids is None else list(lead_ids)
    types = {"lead_id": pa.uuid(), "touches_count": pa.int64(), "last_touched_at": pa.timestamp("us", "UTC")}
    with store.read() as con:
        return fetch_table(con, "touches/count", {"until": until, "lead_ids": asked}, types)
