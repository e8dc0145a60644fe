"""Touches: a known lead that comes again shows intent. One per repeating row, however often its batch is run."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from resources.store.bulk import copy_rows
from resources.store.database import statement

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
    with store.read() as con:
        rows = con.execute(statement("touches/count"), {"until": until, "lead_ids": asked}).all()
    leads, counts, times = list(zip(*rows, strict=True)) or [()] * 3
    return pa.table(
        {
            "lead_id": pa.array([lead.bytes for lead in leads], pa.binary(16)).cast(pa.uuid()),
            "touches_count": pa.array(counts, pa.int64()),
            "last_touched_at": pa.array(times, pa.timestamp("us", "UTC")),
        }
    )
