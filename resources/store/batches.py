"""The life of a batch: waiting -> requested -> running -> done, failed or quarantined.

Belongs here: who may move a batch from state to state. Does not belong here: how a batch comes to be (``drops``, which
also gives these functions out) and who holds it while it runs (``leases``; the lease of a batch is ``batch:<id>``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from resources.store.database import statement
from resources.store.errors import StoreError

if TYPE_CHECKING:
    from resources.store.database import Store
    from resources.store.leases import Lease

LEASE_PREFIX = "batch:"
_DETAIL_CHARS = 4000


class UnknownBatch(StoreError):
    """The ledger has no such batch."""


@dataclass(frozen=True)
class Batch:
    """One batch as the ledger has it. Times are UTC; ``counts`` is what its last good run counted."""

    batch_id: str
    source: str
    channel: str
    state: str
    size_bytes: int
    received_at: datetime
    requested_by: str | None
    requested_at: datetime | None
    finished_at: datetime | None
    attempts_count: int
    reason_code: str | None
    detail: str | None
    counts: dict[str, Any]
    run_id: str | None
    partition_retired_at: datetime | None


def batch(store: Store, batch_id: str) -> Batch:
    """One batch.

    Raises:
        UnknownBatch: there is none of this id.
    """
    found = _list(store, "read", batch_id=batch_id)
    if not found:
        raise UnknownBatch(f"there is no batch {batch_id!r}")
    return found[0]


def open_batches(
    store: Store, state: str | None = None, channel: str | None = None, limit: int = 10_000
) -> list[Batch]:
    """Batches that are neither done nor quarantined (in one state, of one channel), oldest first."""
    return _list(store, "list_open", state=state, channel=channel, row_limit=limit)


def source_history(store: Store, source: str, limit: int) -> list[Batch]:
    """A source's last batches that are done, youngest first, each with its counts."""
    return _list(store, "list_history", source=source, row_limit=limit)


def source_totals(store: Store) -> list[tuple[str, int, int]]:
    """Each source's rows over all batches that are done: source, received, rejected."""
    with store.read() as con:
        return [tuple(row) for row in con.execute(statement("batches/source_totals"))]


def batches_to_retire(store: Store, older_than: datetime, limit: int = 1000) -> list[Batch]:
    """Ended batches received before a time, whose partition still stands, oldest first."""
    return _list(store, "list_to_retire", older_than=older_than, row_limit=limit)


def request_batch(store: Store, batch_id: str, by: str, now: datetime | None = None) -> bool:
    """Ask for the run of a waiting batch. Of all who ask at once, exactly one gets True and must start the run.

    Each request counts as an attempt, so that (batch, attempts) names it.
    """
    with store.transaction("store:request_batch") as con:
        asked = {"batch_id": batch_id, "requested_by": by, "now": now}
        return con.execute(statement("batches/request"), asked).first() is not None


def release_stale_requests(store: Store, older_than: datetime) -> list[str]:
    """Requests from before a time that no run took up (no live lease) wait again; returns their batches."""
    with store.read() as con:  # mostly there is none: then nothing is written
        if not any(row.state == "requested" for row in con.execute(statement("batches/list_open"), _REQUESTED)):
            return []
    with store.transaction("store:release_stale_requests") as con:
        stale = {"older_than": older_than, "lease_prefix": LEASE_PREFIX}
        return sorted(con.execute(statement("batches/release_stale_requests"), stale).scalars())


def reopen(
    store: Store, batch_id: str, states: Sequence[str] = ("requested", "running", "failed", "quarantined")
) -> bool:
    """Let a batch wait again if it is in one of the states. Free a running one only if its worker is dead."""
    with store.transaction("store:reopen_batch") as con:
        wanted = {"batch_ids": [batch_id], "states": list(states)}
        return con.execute(statement("batches/reopen"), wanted).first() is not None


def mark_running(store: Store, batch_id: str, run_id: str | None, lease: Lease | None = None) -> None:
    """A run of the batch begins.

    Raises:
        UnknownBatch, LeaseLost.
    """
    with store.transaction("store:mark_running", lease) as con:
        _expect_one(con.execute(statement("batches/mark_running"), {"batch_id": batch_id, "run_id": run_id}), batch_id)


def mark_finished(
    store: Store, batch_id: str, counts: Mapping[str, Any], lease: Lease | None = None, now: datetime | None = None
) -> None:
    """The batch is done; ``counts`` are its public numbers (received, rejected, duplicates, routed, ...).

    Raises:
        UnknownBatch, LeaseLost.
    """
    _end(store, batch_id, "done", lease, counts=json.dumps(dict(counts), allow_nan=False), now=now)


def mark_failed(
    store: Store, batch_id: str, reason_code: str, detail: str, lease: Lease | None = None, now: datetime | None = None
) -> None:
    """The batch's run failed; it may be tried again. ``detail`` is one line without personal data.

    Raises:
        UnknownBatch, LeaseLost.
    """
    _end(store, batch_id, "failed", lease, reason_code=reason_code, detail=detail, now=now)


def mark_quarantined(
    store: Store, batch_id: str, reason_code: str, detail: str, lease: Lease | None = None, now: datetime | None = None
) -> None:
    """The batch's drop can't be read; dropping it again (rules mended) lets it wait again.

    Raises:
        UnknownBatch, LeaseLost.
    """
    _end(store, batch_id, "quarantined", lease, reason_code=reason_code, detail=detail, now=now)


def mark_retired(store: Store, batch_ids: Sequence[str], now: datetime) -> None:
    """The batches' partitions were taken out of the UI."""
    if batch_ids:
        with store.transaction("store:mark_retired") as con:
            con.execute(statement("batches/mark_retired"), {"batch_ids": list(batch_ids), "now": now})


_REQUESTED = {"state": "requested", "channel": None, "row_limit": 1}


def _end(store: Store, batch_id: str, state: str, lease: Lease | None, **values: Any) -> None:
    row: dict[str, Any] = {"counts": None, "reason_code": None, "detail": None, **values}
    if row["detail"] is not None:
        row["detail"] = row["detail"].replace("\0", "")[:_DETAIL_CHARS]
    with store.transaction(f"store:mark_{'finished' if state == 'done' else state}", lease) as con:
        row |= {"batch_id": batch_id, "state": state}
        _expect_one(con.execute(statement("batches/mark_ended"), row), batch_id)


def _expect_one(result: Any, batch_id: str) -> None:
    if result.first() is None:
        raise UnknownBatch(f"there is no batch {batch_id!r}")


def _list(store: Store, name: str, **values: Any) -> list[Batch]:
    with store.read() as con:
        return [Batch(*row) for row in con.execute(statement(f"batches/{name}"), values)]
