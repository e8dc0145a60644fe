"""The destination ``file``: one NDJSON file per batch, for whoever reads files.

Belongs here: writing the file whole, in one step. Does not belong here: what a lead's line looks like
(``stages.deliver``) and the outbox (``resources.store.deliveries``).
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from resources.atomic_file import make_folder, replace_synced, sync
from resources.durable import durable_write
from resources.store.deliveries import claim_due, mark_batch_delivered, mark_delivered

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyRelation

    from resources.store.database import Store
    from resources.store.leases import Lease

_ROWS_AT_ONCE = 2_048  # more would be held beside the engine's memory and is slower


@dataclass
class StagedFile:
    """A file that is written but not to be seen yet."""

    path: Path
    target: Path

    def publish(self, destination: str, guard: Callable[[], object] = lambda: None) -> None:
        """Let it replace what was there, in one step; an empty one removes it.

        ``guard`` is asked right before: it raises if this process lost its lease.
        """
        guard()
        with durable_write(f"file:{destination}"):
            if self.path.stat().st_size:
                replace_synced(self.path, self.target)
                return
            self.path.unlink()
            if self.target.exists():
                self.target.unlink()
                sync(self.target.parent)

    def discard(self) -> None:
        """Remove it, unless it was published."""
        self.path.unlink(missing_ok=True)


def stage_batch(lines: Iterable[DuckDBPyRelation], folder: Path, batch_id: str) -> StagedFile:
    """Write a batch's file whole, before anybody may see it: it can be done beside the transaction that routes.

    Args:
        lines: relations of one column of text, a lead's line each, written one after the other.
    """
    return _stage(lines, folder / f"{batch_id}.ndjson")


def deliver_batch(
    store: Store, staged: StagedFile, destination: str, batch_id: str, now: datetime, lease: Lease | None = None
) -> None:
    """Publish a batch's file, then mark its deliveries delivered. May be done again.

    A batch without leads for the destination has no file (one of an earlier run is removed).

    Raises:
        LeaseLost: nothing was marked; the file is that of whoever holds the lease now, or will be.
    """
    staged.publish(destination, (lambda: None) if lease is None else lease.check)
    mark_batch_delivered(store, batch_id, destination, now, lease)


def deliver_due(
    store: Store,
    destination: str,
    folder: Path,
    list_lines: Callable[[str, Sequence[UUID]], DuckDBPyRelation],
    now: datetime,
    hold_seconds: float = 300,
    limit: int = 1000,
) -> int:
    """Deliver what is due on its own (leads that a person assigned), a file for each batch they are from; how many.

    Dying between file and mark, the same leads come again in ``hold_seconds``, in the same file unless others joined
    them; their ``delivery_id`` stays the same in any case.

    Args:
        list_lines: what to write of some leads of a batch (batch id, lead ids): one column of text, a lead's line each.
    """
    due = claim_due(store, destination, now, hold_seconds, limit)
    for batch_id, found in groupby(sorted(due, key=lambda each: each.batch_id), key=lambda each: each.batch_id):
        claimed = sorted(found, key=lambda each: each.delivery_id)
        mark = hashlib.sha256("".join(each.delivery_id.hex for each in claimed).encode()).hexdigest()[:10]
        lines = list_lines(batch_id, [each.lead_id for each in claimed])
        staged = _stage([lines], folder / f"{batch_id}.{mark}.ndjson")
        try:
            staged.publish(destination)
        finally:
            staged.discard()
        mark_delivered(store, [(each.delivery_id, None) for each in claimed], now)
    return len(due)


def _stage(lines: Iterable[DuckDBPyRelation], target: Path) -> StagedFile:
    make_folder(target.parent)
    for left in target.parent.glob(f".{target.name}.*.part"):  # by a killed writer; whoever writes this file is alone
        left.unlink(missing_ok=True)
    staged = StagedFile(target.parent / f".{target.name}.{uuid.uuid4().hex}.part", target)
    try:
        with staged.path.open("wb") as file, ThreadPoolExecutor(1) as disk:
            for number, relation in enumerate(lines):
                if number:  # what is written goes to the disk while the next is made, or the end would wait for all
                    disk.submit(os.fdatasync, file.fileno())
                for batch in relation.to_arrow_reader(_ROWS_AT_ONCE):
                    file.write(_text_of(batch.column(0)))
    except BaseException:
        staged.discard()
        raise
    return staged


def _text_of(lines: pa.Array) -> memoryview:
    """A column of text without nulls, as the bytes that stand one after the other in its buffer: nothing is copied."""
    import numpy as np

    _, offsets, text = lines.buffers()
    if text is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, np.int32)[lines.offset : lines.offset + len(lines) + 1]
    return memoryview(text)[ends[0] : ends[-1]]
