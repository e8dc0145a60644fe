"""The ledger of drops: what was seen in the bucket, what of it is new, and which batch it makes.

Belongs here: one batch per new content of a source, whoever looks, however often. Does not belong here: how objects
are listed and kept (``resources.bucket``) and what becomes of a batch (``batches``, given out here as well).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from resources.bucket import Archived, Bucket, BucketError, BucketObject, ObjectChanged
from resources.store.batches import (
    Batch,
    UnknownBatch,
    batch,
    batches_to_retire,
    mark_failed,
    mark_finished,
    mark_quarantined,
    mark_retired,
    mark_running,
    open_batches,
    release_stale_requests,
    reopen,
    request_batch,
    source_history,
    source_totals,
)
from resources.store.database import statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from resources.store.database import Store

__all__ = [
    "Arrival", "Batch", "Discovery", "Drop", "UnknownBatch", "batch", "batches_to_retire", "discover", "drops_of",
    "mark_failed", "mark_finished", "mark_quarantined", "mark_retired", "mark_running", "open_batches",
    "register", "register_arrivals", "register_in", "release_stale_requests", "reopen", "request_batch",
    "source_history", "source_totals",
]  # fmt: skip

# What one tick takes in; the rest waits for the next, so that a flood can't hold up the watcher.
TICK_OBJECTS = 1000
TICK_BYTES = 2 << 30
KEEPERS = 8
# Webhook drops of one tick and source share a batch up to here.
GATHER_DROPS = 1000
GATHER_BYTES = 16 << 20
_REOPENED_BY_REPEAT = ["failed", "quarantined"]


@dataclass(frozen=True)
class Drop:
    """One object in the ledger. A repeat points to the batch that has the same content."""

    uri: str
    version: str
    source: str
    channel: str
    name: str
    content_sha256: str
    size_bytes: int
    archive_uri: str
    batch_id: str
    is_repeat: bool
    first_seen_at: datetime


@dataclass(frozen=True)
class Arrival:
    """A complete object and where its content is kept."""

    obj: BucketObject
    sha256: str
    archive_uri: str
    size_bytes: int


@dataclass(frozen=True)
class Discovery:
    """What one look at the bucket found.

    ``batches``: new ones and those a repeat opened again. ``waiting``: objects not yet complete, by URI, to be handed
    to the next look. ``problems``: what could not be taken in, and why.
    """

    batches: tuple[str, ...]
    repeats: tuple[Drop, ...]
    waiting: dict[str, str]
    problems: dict[str, str]


def discover(
    bucket: Bucket,
    store: Store,
    now: datetime,
    settle_seconds: float,
    remembered: Mapping[str, str],
    channel: str | None = None,
) -> Discovery:
    """Look at the bucket once and register what is new and complete.

    An object of a folder is complete when it was there in the same version at an earlier look (``remembered``: the
    last look's ``waiting``) or was last written ``settle_seconds`` before ``now``; of an object store, when it is seen.
    Any number of callers may look at once and with any memory: each content makes one batch.

    Raises:
        BucketUnavailable, StoreUnavailable: transient.
    """
    listing = bucket.scan(channel)
    problems = dict(listing.skipped)
    waiting: dict[str, str] = {}
    complete: list[BucketObject] = []
    room = TICK_BYTES
    for obj in _unknown(store, listing.objects):
        stands_still = (now - obj.modified_at).total_seconds() >= settle_seconds
        is_complete = not bucket.needs_settling or stands_still or remembered.get(obj.uri) == obj.version
        if is_complete and len(complete) < TICK_OBJECTS and room > 0:
            complete.append(obj)
            room -= obj.size_bytes
        else:
            waiting[obj.uri] = obj.version
    arrivals: list[Arrival] = []
    for obj, kept in zip(complete, _keep(bucket, complete), strict=True):
        if isinstance(kept, Archived):
            arrivals.append(Arrival(obj, kept.sha256, kept.archive_uri, kept.size_bytes))
            continue
        waiting[obj.uri] = obj.version
        if not isinstance(kept, ObjectChanged):
            problems[obj.uri] = f"can't be read: {getattr(kept, 'strerror', None) or kept}"
    registered, opened = register_arrivals(store, arrivals, now)
    repeats = tuple(drop for drop in registered if drop.is_repeat)
    return Discovery(tuple(opened), repeats, waiting, problems)


def register(bucket: Bucket, store: Store, obj: BucketObject, now: datetime) -> Drop:
    """Keep and register one object that is known to be complete; a known one is returned as it stands.

    Raises:
        ObjectChanged: it is not (or no longer) what was listed.
        BucketUnavailable, StoreUnavailable: transient.
    """
    kept = bucket.archive(obj)
    return register_arrivals(store, [Arrival(obj, kept.sha256, kept.archive_uri, kept.size_bytes)], now)[0][0]


def register_arrivals(store: Store, arrivals: Sequence[Arrival], now: datetime) -> tuple[list[Drop], list[str]]:
    """Register complete objects in one transaction; returns them as registered, and the batches that wait by it.

    New content makes a batch; content the source had before is a repeat, which lets a failed or quarantined batch
    wait again. Small webhook drops of a source share a batch.
    """
    if not arrivals:
        return [], []
    with store.transaction("store:register_drops") as con:
        return register_in(con, arrivals, now)


def register_in(con: Connection, arrivals: Sequence[Arrival], now: datetime) -> tuple[list[Drop], list[str]]:
    """``register_arrivals`` within the caller's transaction."""
    con.execute(statement("drops/lock_registering"))
    found = list(con.execute(statement("drops/find_contents"), _columns(arrivals)))
    fresh = _first_of_each_content(
        [arrival for arrival, row in zip(arrivals, found, strict=True) if row.batch_id is None]
    )
    groups = [group for each in _by_source(fresh) for group in _gather(each)]
    batch_of = {_content(arrival): _batch_id(group, now) for group in groups for arrival in group}
    if groups:
        con.execute(statement("batches/insert"), {**_batch_columns(groups, now), "received_at": now})
    drops: list[Drop] = []
    fresh_objects = {(arrival.obj.uri, arrival.obj.version) for arrival in fresh}
    for arrival, row in zip(arrivals, found, strict=True):
        is_repeat = row.is_repeat or (not row.is_known and (arrival.obj.uri, arrival.obj.version) not in fresh_objects)
        drops.append(_drop(arrival, row.batch_id or batch_of[_content(arrival)], is_repeat, now))
    new = [drop for drop, row in zip(drops, found, strict=True) if not row.is_known]
    opened = [_batch_id(group, now) for group in groups]
    if new:
        _insert(con, new, now)
        repeated = {"batch_ids": [drop.batch_id for drop in new if drop.is_repeat], "states": _REOPENED_BY_REPEAT}
        opened += con.execute(statement("batches/reopen"), repeated).scalars()
    return drops, opened


def drops_of(store: Store, batch_id: str) -> list[Drop]:
    """The drops whose content a batch holds, in their order; repeats are none of them."""
    with store.read() as con:
        return [Drop(*row) for row in con.execute(statement("drops/of_batch"), {"batch_id": batch_id})]


def _unknown(store: Store, objects: Sequence[BucketObject]) -> list[BucketObject]:
    if not objects:
        return []
    with store.read() as con:
        seen = {"uris": [obj.uri for obj in objects], "versions": [obj.version for obj in objects]}
        return [objects[position - 1] for position in con.execute(statement("drops/find_unknown"), seen).scalars()]


def _keep(bucket: Bucket, objects: Sequence[BucketObject]) -> list[Archived | BucketError | OSError]:
    """Archive objects, several at once: for many small ones it is the waiting for disk or network that costs."""

    def keep(obj: BucketObject) -> Archived | BucketError | OSError:
        try:
            return bucket.archive(obj)
        except (BucketError, OSError) as error:
            return error

    if len(objects) < 2:
        return [keep(obj) for obj in objects]
    with ThreadPoolExecutor(KEEPERS, thread_name_prefix="archive") as pool:
        return list(pool.map(keep, objects))


def _content(arrival: Arrival) -> tuple[str, str]:
    return arrival.obj.source, arrival.sha256


def _first_of_each_content(arrivals: Sequence[Arrival]) -> list[Arrival]:
    first: dict[tuple[str, str], Arrival] = {}
    for arrival in arrivals:
        first.setdefault(_content(arrival), arrival)
    return list(first.values())


def _by_source(arrivals: Sequence[Arrival]) -> list[list[Arrival]]:
    def place(arrival: Arrival) -> tuple[str, str]:
        return arrival.obj.channel, arrival.obj.source

    return [list(group) for _, group in groupby(sorted(arrivals, key=place), key=place)]


def _gather(arrivals: Sequence[Arrival]) -> list[list[Arrival]]:
    """The batches that a source's new contents make: one each, but webhook drops together up to the limits."""
    groups: list[list[Arrival]] = []
    group_bytes = 0
    for arrival in arrivals:
        fits = groups and len(groups[-1]) < GATHER_DROPS and group_bytes + arrival.size_bytes <= GATHER_BYTES
        if arrival.obj.channel == "webhook" and fits:
            groups[-1].append(arrival)
            group_bytes += arrival.size_bytes
        else:
            groups.append([arrival])
            group_bytes = arrival.size_bytes
    return groups


def _batch_id(group: Sequence[Arrival], now: datetime) -> str:
    """``<time>-<content>-<source>``: sorts by time, legal in a file name, the same for the same contents."""
    hashes = sorted(arrival.sha256 for arrival in group)
    content = hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    source = hashlib.sha256(group[0].obj.source.encode()).hexdigest()
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{content[:10]}-{source[:6]}"


def _drop(arrival: Arrival, batch_id: str, is_repeat: bool, now: datetime) -> Drop:
    obj = arrival.obj
    return Drop(
        obj.uri, obj.version, obj.source, obj.channel, obj.name, arrival.sha256, arrival.size_bytes,
        arrival.archive_uri, batch_id, is_repeat, now,
    )  # fmt: skip


def _columns(arrivals: Sequence[Arrival]) -> dict[str, list[str]]:
    return {
        "uris": [arrival.obj.uri for arrival in arrivals],
        "versions": [arrival.obj.version for arrival in arrivals],
        "sources": [arrival.obj.source for arrival in arrivals],
        "hashes": [arrival.sha256 for arrival in arrivals],
    }


def _batch_columns(groups: Sequence[Sequence[Arrival]], now: datetime) -> dict[str, list[object]]:
    return {
        "batch_ids": [_batch_id(group, now) for group in groups],
        "sources": [group[0].obj.source for group in groups],
        "channels": [group[0].obj.channel for group in groups],
        "sizes": [sum(arrival.size_bytes for arrival in group) for group in groups],
    }


def _insert(con: Connection, drops: Sequence[Drop], now: datetime) -> None:
    columns = {
        "uris": [drop.uri for drop in drops],
        "versions": [drop.version for drop in drops],
        "sources": [drop.source for drop in drops],
        "channels": [drop.channel for drop in drops],
        "names": [drop.name for drop in drops],
        "hashes": [drop.content_sha256 for drop in drops],
        "sizes": [drop.size_bytes for drop in drops],
        "archive_uris": [drop.archive_uri for drop in drops],
        "batch_ids": [drop.batch_id for drop in drops],
        "are_repeats": [drop.is_repeat for drop in drops],
    }
    con.execute(statement("drops/insert"), {**columns, "first_seen_at": now})
