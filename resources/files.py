"""The destination ``file``: one NDJSON file per batch, for whoever reads files.

Belongs here: writing the file whole, in one step. Does not belong here: what a lead looks like (``stages.deliver``)
and the outbox (``resources.store.deliveries``).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from resources.atomic_file import make_folder, replace_synced, sync
from resources.durable import durable_write
from resources.store.deliveries import claim_due, mark_batch_delivered, mark_delivered

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

    from resources.store.database import Store
    from resources.store.leases import Lease


def deliver_batch(
    store: Store,
    leads: DuckDBPyRelation,
    destination: str,
    folder: Path,
    batch_id: str,
    now: datetime,
    lease: Lease | None = None,
) -> int:
    """Write a batch's file, then mark its deliveries delivered; how many were marked. May be done again.

    A batch without leads for the destination has no file (one of an earlier run is removed).

    Raises:
        LeaseLost: nothing was marked; the file is that of whoever holds the lease now, or will be.
    """
    guard = (lambda: None) if lease is None else lease.check
    write_ndjson(leads, folder / f"{batch_id}.ndjson", destination, guard)
    return mark_batch_delivered(store, batch_id, destination, now, lease)


def deliver_due(
    store: Store,
    destination: str,
    folder: Path,
    list_leads: Callable[[str, Sequence[UUID]], DuckDBPyRelation],
    now: datetime,
    hold_seconds: float = 300,
    limit: int = 1000,
) -> int:
    """Deliver what is due on its own (leads that a person assigned), a file for each batch they are from; how many.

    Dying between file and mark, the same leads come again in ``hold_seconds``, in the same file unless others joined
    them; their ``delivery_id`` stays the same in any case.

    Args:
        list_leads: what to write of some leads of a batch (batch id, lead ids).
    """
    due = claim_due(store, destination, now, hold_seconds, limit)
    for batch_id, found in groupby(sorted(due, key=lambda each: each.batch_id), key=lambda each: each.batch_id):
        claimed = sorted(found, key=lambda each: each.delivery_id)
        mark = hashlib.sha256("".join(each.delivery_id.hex for each in claimed).encode()).hexdigest()[:10]
        leads = list_leads(batch_id, [each.lead_id for each in claimed])
        write_ndjson(leads, folder / f"{batch_id}.{mark}.ndjson", destination)
        mark_delivered(store, [(each.delivery_id, None) for each in claimed], now)
    return len(due)


def write_ndjson(
    leads: DuckDBPyRelation, target: Path, destination: str, guard: Callable[[], object] = lambda: None
) -> None:
    """Write a relation as newline-delimited JSON, replacing what was there in one step; no rows: no file.

    ``guard`` is asked right before the file becomes visible: it raises if this process lost its lease.
    """
    make_folder(target.parent)
    staged = target.parent / f".{uuid.uuid4().hex}.part"
    try:
        quoted = str(staged).replace("'", "''")
        leads.query("_", f"COPY (FROM _) TO '{quoted}' (FORMAT json)")
        guard()
        with durable_write(f"file:{destination}"):
            if staged.stat().st_size:
                replace_synced(staged, target)
            elif target.exists():
                target.unlink()
                sync(target.parent)
    finally:
        staged.unlink(missing_ok=True)
