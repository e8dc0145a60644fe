"""Files that clients send: registered as drops in one transaction with whose they are and what their columns mean.

Belongs here: ownership, mappings, cancelling. Does not belong here: the bytes (``resources.bucket``), what a drop is
(``drops``) and the life of a batch (``batches``).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from resources.bucket import Archived, BucketObject, shown, visible_name
from resources.store.batches import LEASE_PREFIX
from resources.store.database import statement
from resources.store.drops import Arrival, register_in

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from resources.store.database import Store

CHANNEL = "upload"
CANCELLED = "cancelled"  # the reason code of a batch that its sender took back
UPLOAD_URI = "upload:"  # begins the URI of a drop that came this way; none of a bucket does


@dataclass(frozen=True, slots=True)
class Upload:
    """A client that sent a batch's bytes; ``made_it``: the batch did not exist before."""

    batch_id: str
    client: str
    made_it: bool
    name: str
    sent_at: datetime


class MappingFixed(Exception):
    """The batch of these bytes is read, or being read, with another mapping."""

    def __init__(self, batch_id: str) -> None:
        super().__init__(batch_id)
        self.batch_id = batch_id


class TooManyOpen(Exception):
    """The client has as many batches under way as it may."""


def register_upload(
    store: Store,
    kept: Archived,
    *,
    client: str,
    source: str,
    name: str,
    mapping: Mapping[str, str] | None,
    most_open: int,
    now: datetime,
) -> tuple[str, bool]:
    """Make received content a drop, or find the batch that has it; ``(batch_id, is_repeat)``.

    A batch that failed, or could not be read, waits again when its content is sent again, with the mapping sent now.
    ``mapping`` None says nothing about columns; an empty one says that the rules do.

    Raises:
        MappingFixed, TooManyOpen: nothing was registered.
        StoreUnavailable: transient.
    """
    obj = BucketObject(
        uri=f"{UPLOAD_URI}{uuid.uuid4()}",
        channel=CHANNEL,
        source=source,
        name=shown(visible_name(name)),
        size_bytes=kept.size_bytes,
        version=kept.sha256,
        modified_at=now,
        key="",
    )
    with store.transaction("store:register_upload") as con:
        [drop], opened = register_in(con, [Arrival(obj, kept.sha256, kept.archive_uri, kept.size_bytes)], now)
        if opened and _count_open(con, client) >= most_open:
            raise TooManyOpen
        if mapping is not None:
            _say_mapping(
                con, drop.batch_id, mapping, is_own=drop.batch_id in opened or _made(con, drop.batch_id, client)
            )
        sent = {"batch_id": drop.batch_id, "client": client, "name": obj.name, "sent_at": now}
        con.execute(statement("uploads/insert"), {**sent, "made_it": not drop.is_repeat})
    return drop.batch_id, drop.is_repeat


def uploads_of(store: Store, batch_id: str) -> list[Upload]:
    """The clients that sent a batch's bytes, the first one first; none for a batch that came another way."""
    with store.read() as con:
        return [Upload(*row) for row in con.execute(statement("uploads/read"), {"batch_id": batch_id})]


def mapping_of(store: Store, batch_id: str) -> dict[str, str]:
    """What the batch's sender said about its columns, header to contract column; empty if nothing."""
    with store.read() as con:
        found = con.execute(statement("uploads/read_mapping"), {"batch_id": batch_id}).scalar_one_or_none()
    return dict(found or {})


def clients(store: Store) -> list[str]:
    """All clients that have, or had, a key."""
    with store.read() as con:
        return list(con.execute(statement("uploads/list_clients")).scalars())


def cancel(store: Store, batch_id: str, by: str, now: datetime) -> bool:
    """Take back a file that waits, or that failed before its leads claimed their identity; False if it is too late.

    A batch that runs goes on to its end; leads that other doors were told "accepted" can't be taken back.
    """
    asked = {"batch_id": batch_id, "reason_code": CANCELLED, "detail": f"Cancelled by {by}.", "now": now}
    with store.transaction("store:cancel_upload") as con:
        found = con.execute(statement("uploads/cancel"), {**asked, "lease_prefix": LEASE_PREFIX})
        return found.first() is not None


def _made(con: Connection, batch_id: str, client: str) -> bool:
    sent = con.execute(statement("uploads/read"), {"batch_id": batch_id})
    return any(row.made_it and row.client == client for row in sent)


def _say_mapping(con: Connection, batch_id: str, mapping: Mapping[str, str], is_own: bool) -> None:
    state = con.execute(statement("uploads/lock_batch"), {"batch_id": batch_id}).scalar_one()
    known = con.execute(statement("uploads/read_mapping"), {"batch_id": batch_id}).scalar_one_or_none() or {}
    if dict(mapping) == known:
        return
    if state != "waiting" or not is_own:  # one that failed waits again by now
        raise MappingFixed(batch_id)
    if mapping:
        said = {"batch_id": batch_id, "mapping": json.dumps(dict(mapping))}
        con.execute(statement("uploads/save_mapping"), said)
    else:
        con.execute(statement("uploads/remove_mapping"), {"batch_id": batch_id})


def _count_open(con: Connection, client: str) -> int:
    return int(con.execute(statement("uploads/count_open"), {"client": client}).scalar_one())
