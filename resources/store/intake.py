"""Leads that the doors take in: durable with their identity in one transaction, waiting until they become a batch.

Belongs here: taking in, gathering, looking up. Does not belong here: what a lead must be (``doors``), the keys of
requests (``idempotency``) and what becomes of a batch (``batches``).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from resources.store.database import statement
from resources.store.fetch import fetch_table

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection

    from resources.bucket import Archived
    from resources.store.database import Store

OnDuplicate = Literal["reject", "update", "link"]
TOUCH_BATCH = "api"  # of touches that no batch brought
INTAKE_URI = "intake:"  # begins the URI of a drop that was gathered here; none of a bucket does
_COPY_COLUMNS = "lead_id, client, source, source_channel, received_at, content"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_ESCAPED = re.compile(r"[\\\t\n\r]")


@dataclass(frozen=True, slots=True)
class NewLead:
    """A checked lead. ``keys`` are ``(key, tag, kind)`` of identity; ``content`` is a JSON object, never empty."""

    lead_id: UUID
    client: str
    source: str
    source_channel: str
    received_at: datetime
    content: str
    keys: Sequence[tuple[int, int, int]]
    on_duplicate: OnDuplicate = "reject"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A lead that is known, and by which kind of key; ``is_update``: what it says counts from now on."""

    existing_lead_id: UUID
    kind: int
    is_update: bool = False


@dataclass(frozen=True, slots=True)
class TakenIn:
    """A lead as it was taken in; ``batch_id`` None while it waits."""

    lead_id: UUID
    client: str
    source: str
    source_channel: str
    received_at: datetime
    batch_id: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits of one source."""

    source: str
    source_channel: str
    leads_count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Most:
    """How much goes into one batch; a single lead always does."""

    leads_count: int
    bytes_count: int


class LeadIds:
    """Ids for the leads of one process's doors: each is above the one before, whatever the clock does. Like the ids of
    files' leads (UUID version 8) they leave free the bits that ids of deliveries fill: time in milliseconds, a count of
    12 bits within it, 36 random bits."""

    def __init__(self) -> None:
        self._last = 0
        self._random = b""

    def next(self, now: datetime) -> UUID:
        """The next id; for one thread at a time."""
        self._last = max(int(now.timestamp() * 1000) << 12, self._last + 1)
        if not self._random:  # many at a time: each call of the system would let go of the interpreter
            self._random = os.urandom(4096)
        noise, self._random = int.from_bytes(self._random[:5], "big") >> 4, self._random[5:]
        return UUID(int=self._last >> 12 << 80 | 0x8 << 76 | (self._last & 0xFFF) << 64 | 0b10 << 62 | noise)


def take_in(con: Connection, leads: Sequence[NewLead]) -> list[Repeat | None]:
    """Claim the leads' identities and store those that are new, within the caller's transaction.

    Of leads that match each other the first is new. A known one is refused (``reject``: nothing of it is kept), counts
    as a touch on the known one (``link``), or also adds to what is known of it (``update``). An update of a lead that
    another client sent only counts as a touch: nobody changes what is others'. Leads of files are open to updates.

    Returns:
        For each lead what it repeats; None for a new one, which is taken in.

    Raises:
        psycopg.errors.UniqueViolation, StoreUnavailable: see ``identities.claim_in``; do it all again.
    """
    repeats: dict[UUID, Repeat] = {}
    for keeps_known in (True, False):
        repeats |= _claim(con, [lead for lead in leads if (lead.on_duplicate != "reject") is keeps_known], keeps_known)
    answers = [repeats.get(lead.lead_id) for lead in leads]
    _insert(con, [lead for lead, repeat in zip(leads, answers, strict=True) if repeat is None])
    _mark_updates(con, leads, answers)
    known = [(lead, repeat) for lead, repeat in zip(leads, answers, strict=True) if repeat is not None]
    _note_known(con, [pair for pair in known if pair[0].on_duplicate != "reject"])
    return answers


def waiting(store: Store) -> list[Waiting]:
    """What waits to become batches, by source and channel, the longest waiting first."""
    with store.read() as con:
        return [Waiting(*row) for row in con.execute(statement("intake/waiting"))]


def gather(
    store: Store,
    source: str,
    source_channel: str,
    most: Most,
    write: Callable[[Sequence[tuple[UUID, datetime, str]]], Archived],
    now: datetime,
    batch_channel: str = "api",
    lead_ids: Sequence[UUID] | None = None,
) -> str | None:
    """Make one batch of the first waiting leads of a source; its id, None if there is none left to gather.

    ``batch_channel`` is the batch's, by which it is known how its drop is read, whatever door the leads came through.
    ``lead_ids``: only these leads, whoever else waits.

    ``write`` puts the leads ``(lead_id, received_at, content)`` durably where batches find their content, under its
    hash. Drop, batch and the leads' change are one transaction: killed anywhere, each lead waits or is in one batch.

    Raises:
        StoreUnavailable: transient.
    """
    asked: dict[str, object] = {
        "source": source, "source_channel": source_channel, "lead_ids": None if lead_ids is None else list(lead_ids),
    }  # fmt: skip
    with store.transaction("store:gather_intake") as con:
        limits = {"leads_limit": most.leads_count, "bytes_limit": most.bytes_count}
        fitting = con.execute(statement("intake/count_fitting"), {**asked, **limits}).scalar_one()
        asked["leads_limit"] = max(1, fitting)
        rows = [
            (row.lead_id, row.received_at, row.content) for row in con.execute(statement("intake/take_waiting"), asked)
        ]
        if not rows:
            return None
        kept = write(rows)
        batch_id = _batch_id(source, kept.sha256, now)
        con.execute(
            statement("batches/insert"),
            {"batch_ids": [batch_id], "sources": [source], "channels": [batch_channel], "sizes": [kept.size_bytes],
             "received_at": now},
        )  # fmt: skip
        con.execute(statement("drops/insert"), {**_drop(source, batch_channel, batch_id, kept), "first_seen_at": now})
        marked = {"lead_ids": [lead_id for lead_id, _, _ in rows], "batch_id": batch_id}
        con.execute(statement("intake/mark_gathered"), marked)
    return batch_id


def find(store: Store, lead_id: UUID) -> TakenIn | None:
    """A lead that the doors took in; None for one of a file, or none at all."""
    with store.read() as con:
        row = con.execute(statement("intake/read_lead"), {"lead_id": lead_id}).first()
    return None if row is None else TakenIn(*row)


def list_updates(store: Store, lead_ids: Sequence[UUID] | None = None) -> pa.Table:
    """What later requests said about leads (all by default), in order: ``update_id`` and ``lead_id`` (Arrow's UUID),
    ``client``, ``source``, ``received_at``, ``content`` (JSON)."""
    import pyarrow as pa

    texts = dict.fromkeys(("client", "source", "received_at", "content"), pa.string())
    types = {"update_id": pa.uuid(), "lead_id": pa.uuid(), **texts, "received_at": pa.timestamp("us", "UTC")}
    asked = None if lead_ids is None else list(lead_ids)
    with store.read() as con:
        return fetch_table(con, "intake/list_updates", {"lead_ids": asked}, types)


def _claim(con: Connection, leads: Sequence[NewLead], keeps_known: bool) -> dict[UUID, Repeat]:
    import numpy as np

    from resources.store.identities import claim_in
    from resources.store.matching import Claims

    rows = [(lead.lead_id.bytes, *key) for lead in leads for key in lead.keys]
    if not rows:
        return {}
    ids, keys, tags, kinds = zip(*rows, strict=True)
    claims = Claims(
        np.frombuffer(b"".join(ids), "V16"),
        np.array(keys, np.int64),
        np.array(tags, np.int32),
        np.array(kinds, np.uint8),
    )
    return {
        UUID(bytes=lead.tobytes()): Repeat(UUID(bytes=existing.tobytes()), int(kind))
        for lead, existing, kind in claim_in(con, claims, keeps_known)
    }


def _escaped(text: str) -> str:
    """As COPY's text format wants it; most leads have nothing to escape, which a search finds faster."""
    return text.translate(_ESCAPES) if _ESCAPED.search(text) else text


def _insert(con: Connection, leads: Sequence[NewLead]) -> None:
    if not leads:
        return
    text = "".join(
        f"{lead.lead_id}\t{_escaped(lead.client)}\t{lead.source}\t{lead.source_channel}\t"
        f"{lead.received_at.isoformat()}\t{_escaped(lead.content)}\n"
        for lead in leads
    )
    driver = con.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY aiqleads.intake ({_COPY_COLUMNS}) FROM STDIN") as copy:  # type: ignore[union-attr]
        copy.write(text.encode())


def _mark_updates(con: Connection, leads: Sequence[NewLead], answers: list[Repeat | None]) -> None:
    """Tell updates of the client's own leads, and of files', from those of others' leads."""
    wanted = [n for n, repeat in enumerate(answers) if repeat is not None and leads[n].on_duplicate == "update"]
    if not wanted:
        return
    existing = {"lead_ids": [answers[n].existing_lead_id for n in wanted]}  # type: ignore[union-attr]
    client_of = {row.lead_id: row.client for row in con.execute(statement("intake/find_clients"), existing)}
    for n in wanted:
        repeat, client = answers[n], leads[n].client
        if repeat is not None and client_of.get(repeat.existing_lead_id, client) == client:
            answers[n] = replace(repeat, is_update=True)


def _note_known(con: Connection, known: Sequence[tuple[NewLead, Repeat]]) -> None:
    if not known:
        return
    con.execute(
        statement("intake/insert_touches"),
        {
            "lead_ids": [lead.lead_id for lead, _ in known],
            "existing_lead_ids": [repeat.existing_lead_id for _, repeat in known],
            "kinds": ["update" if repeat.is_update else "link" for _, repeat in known],
            "touched_at": [lead.received_at for lead, _ in known],
            "batch_id": TOUCH_BATCH,
        },
    )
    updates = [(lead, repeat) for lead, repeat in known if repeat.is_update]
    if updates:
        con.execute(
            statement("intake/insert_updates"),
            {
                "update_ids": [lead.lead_id for lead, _ in updates],
                "lead_ids": [repeat.existing_lead_id for _, repeat in updates],
                "clients": [lead.client for lead, _ in updates],
                "sources": [lead.source for lead, _ in updates],
                "received_at": [lead.received_at for lead, _ in updates],
                "contents": [lead.content for lead, _ in updates],
            },
        )


def _batch_id(source: str, sha256: str, now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{sha256[:10]}-{hashlib.sha256(source.encode()).hexdigest()[:6]}"


def _drop(source: str, source_channel: str, batch_id: str, kept: Archived) -> dict[str, list[object]]:
    return {
        "uris": [f"{INTAKE_URI}{batch_id}"],
        "versions": [kept.sha256],
        "sources": [source],
        "channels": [source_channel],
        "names": [f"{batch_id}.ndjson"],
        "hashes": [kept.sha256],
        "sizes": [kept.size_bytes],
        "archive_uris": [kept.archive_uri],
        "batch_ids": [batch_id],
        "are_repeats": [False],
    }
