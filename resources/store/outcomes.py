"""Outcomes: how leads ended. The last word counts; each end closes its owner's load once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.store.bulk import copy_rows
from resources.store.database import statement

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyRelation

    from resources.store.database import Store
    from resources.store.leases import Lease

_COLUMNS = ("lead_id", "result", "closed_at", "revenue_usd", "owner", "is_bounced")


def record_outcomes(
    store: Store, outcomes: DuckDBPyRelation | pa.Table, batch_id: str, lease: Lease | None = None
) -> int:
    """Record how leads ended; may be done again. Returns the number of leads.

    Args:
        outcomes: ``lead_id`` (UUID), ``result`` (won, lost, returned), ``closed_at`` (UTC), ``revenue_usd`` (or null),
            ``owner`` (who had the lead; null where it is not known: then no load is closed yet),
            ``is_bounced`` (returned because nobody could be reached there).
        batch_id: the batch that brought them.

    Raises:
        LeaseLost: nothing was recorded.
    """
    with store.transaction("store:record_outcomes", lease) as con:
        con.execute(statement("outcomes/lock"))
        con.execute(statement("outcomes/stage"))
        copy_rows(con, "new_outcomes", outcomes, _COLUMNS)
        con.execute(statement("outcomes/close_loads"))
        return int(con.execute(statement("outcomes/upsert"), {"batch_id": batch_id}).rowcount)
