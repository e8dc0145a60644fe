"""The one identity index for all doors: who came first under an external id, e-mail, phone, or name and company.

Belongs here: claiming in bulk or one by one, and looking up. Does not belong here: how keys are made (the stages) and
the rules of matching (``matching``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from psycopg.errors import DeadlockDetected, UniqueViolation
from sqlalchemy import Connection

from resources.store.bulk import copy_fixed, select_arrays
from resources.store.database import statement
from resources.store.errors import StoreUnavailable

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyRelation

    from resources.store.database import Store
    from resources.store.leases import Lease
    from resources.store.matching import Claims, IndexRows
    from resources.store.wire import Values

EXTERNAL_ID, EMAIL, PHONE, NAME_COMPANY = 1, 2, 3, 4  # kinds: the ranks of the rules, the surest first
CHUNK_LEADS = 250_000
_LOOK_UP_KEYS = 100_000
_ATTEMPTS = 100
_READ_ROWS = 1_000_000


def claim_identities(
    store: Store, lease: Lease | None, claims: DuckDBPyRelation | pa.Table, chunk_leads: int = CHUNK_LEADS
) -> pa.Table:
    """Claim the identities of leads, and tell which of them somebody else has already.

    Works in chunks of whole leads, in the order of their ids, each in a transaction of its own
    (``store:claim_identities``). Of concurrent claims of one person exactly one wins: the loser meets the winner's rows
    in the primary key, rolls its chunk back and looks again. Under a lease each chunk keeps its answer, so that the
    same claims under the lease's name get the same answer for ever, whoever claimed in between.

    Args:
        lease: of the batch. None (a door that takes single leads) remembers nothing.
        claims: ``lead_id`` (UUID), ``key`` (BIGINT), ``tag`` (INTEGER; 0 but for phones of named leads), ``kind`` (rank
            of the rule, 1 to 4), in any order. Leads of a batch that match each other should have become one before;
            those that did not are settled here, the smaller id first.

    Returns:
        The leads that repeat another: ``lead_id``, ``existing_lead_id`` (Arrow's UUID), ``kind`` (int16).

    Raises:
        LeaseLost: nothing of the chunk under way was claimed.
        StoreUnavailable: transient; chunks before are claimed and will be found so.
    """
    import numpy as np

    from resources.store.matching import REPEAT

    with _read_ahead(_chunks(claims, chunk_leads)) as chunks:
        found = [_claim_chunk(store, lease, number, chunk) for number, chunk in enumerate(chunks)]
    return _table(np.concatenate([np.empty(0, REPEAT), *found]))


def claim_in(con: Connection, claims: Claims, keeps_known: bool) -> Values:
    """Claim inside of the caller's transaction, for a door that takes single leads; the rules are those of files.

    Args:
        claims: in any order; of leads that match each other the smaller id comes first.
        keeps_known: whether the free keys of a lead that repeats another are claimed for that other, as for files.
            A door that refuses repeats keeps nothing of them.

    Returns:
        The leads that repeat another, in the order of their ids: ``matching.REPEAT``.

    Raises:
        psycopg.errors.UniqueViolation, StoreUnavailable (a deadlock): somebody claimed the same at once. The
            transaction is over; doing all of it again sees who it was.
    """
    return _claim(con, claims.ordered(), keeps_known)


def find_leads(con: Connection, keys: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The leads that hold some keys (for a phone: who had it first): ``key``, ``lead_id``; none for unknown keys."""
    import numpy as np
    import pyarrow as pa

    from resources.store.matching import distinct
    from resources.store.wire import uuid_column

    found = _look_up(con, distinct(np.sort(keys.cast(pa.int64()).to_numpy())))
    return pa.table({"key": pa.array(found.key, pa.int64()), "lead_id": uuid_column(found.lead)})


def _claim_chunk(store: Store, lease: Lease | None, number: int, chunk: Claims) -> Values:
    for _ in range(_ATTEMPTS):
        try:
            with store.transaction("store:claim_identities", lease) as con:
                if lease is None:
                    return _claim(con, chunk)
                return _claim_and_remember(con, lease.name, number, chunk)
        except UniqueViolation:
            continue  # somebody was faster with a key: now it can be seen
        except StoreUnavailable as error:
            if not isinstance(getattr(error.__cause__, "orig", error.__cause__), DeadlockDetected):
                raise
    raise StoreUnavailable(f"{_ATTEMPTS} attempts to claim identities met others who claimed the same: try again")


def _claim_and_remember(con: Connection, claimant: str, number: int, chunk: Claims) -> Values:
    import numpy as np

    from resources.store.matching import REPEAT

    digest = hashlib.sha256()
    for column in (chunk.lead, chunk.key, chunk.tag, chunk.kind):
        digest.update(np.ascontiguousarray(column).view(np.uint8).data)
    answer = {"claimant": claimant, "chunk_number": number, "claims_sha256": digest.digest()}
    known = con.execute(statement("identities/read_answer"), answer).scalar()
    if known is not None:
        return np.frombuffer(known, REPEAT)
    repeats = _claim(con, chunk)
    con.execute(statement("identities/write_answer"), {**answer, "repeats": repeats.tobytes()})
    return repeats


def _claim(con: Connection, chunk: Claims, keeps_known: bool = True) -> Values:
    import numpy as np

    from resources.store.matching import IndexRows, in_order, settle

    found = []
    while len(chunk):
        settled = settle(chunk, lambda keys: _look_up(con, keys))
        rows = settled.inserts
        if not keeps_known:
            here = {lead.tobytes() for lead in chunk.lead}
            own = np.fromiter((lead.tobytes() in here for lead in rows.lead), bool, len(rows.lead))
            rows = IndexRows(rows.key[own], rows.tag[own], rows.lead[own])
        if len(rows.key):
            copy_fixed(con, "aiqleads.identity_keys", {"key": rows.key, "tag": rows.tag, "lead_id": rows.lead})
        found.append(settled.repeats)
        chunk = settled.later
    return in_order(np.concatenate(found)) if len(found) > 1 else found[0]


def _look_up(con: Connection, keys: Values) -> IndexRows:
    """The index's rows for ascending keys, by ascending key."""
    import numpy as np

    from resources.store.matching import IndexRows

    con.execute(statement("identities/use_index"))
    query = statement("identities/find_keys").text
    pieces = [
        select_arrays(con, query, keys[start : start + _LOOK_UP_KEYS], (">i8", ">i4", "V16"))
        for start in range(0, max(1, len(keys)), _LOOK_UP_KEYS)
    ]
    key, tag, lead = (np.concatenate(column) for column in zip(*pieces, strict=True))
    order = np.argsort(key)
    return IndexRows(key[order].astype(np.int64), tag[order].astype(np.int32), lead[order])


@contextmanager
def _read_ahead(chunks: Iterator[Claims]) -> Iterator[Iterator[Claims]]:
    """The same chunks, each made in a thread while the one before it is claimed."""

    def ahead() -> Iterator[Claims]:
        coming = pool.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = pool.submit(next, chunks, None)
            yield chunk

    with ThreadPoolExecutor(1) as pool:
        yield ahead()


def _chunks(claims: DuckDBPyRelation | pa.Table, chunk_leads: int) -> Iterator[Claims]:
    """Claims by whole leads, ``chunk_leads`` at a time, in the order of ``lead, key, tag``."""
    import numpy as np
    import pyarrow as pa

    from resources.store.matching import Claims, starts_of_leads

    rest = Claims(np.empty(0, "V16"), np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.uint8))
    if isinstance(claims, pa.Table):
        pieces = (_read_claims(batch).ordered() for batch in claims.combine_chunks().to_batches())
    else:
        # As 16 bytes, for a connection's settings decide how else a UUID comes out.
        as_bytes = claims.project("lead_id::UUID::BLOB AS lead_id, key, tag, kind")
        pieces = (_read_claims(batch) for batch in as_bytes.to_arrow_reader(_READ_ROWS))
    for piece in pieces:
        rest = rest.followed_by(piece)
        if not rest.is_ordered():
            raise ValueError("claims from a relation must come in the order of their leads")
        while len(starts := starts_of_leads(rest.lead)) > chunk_leads:
            yield rest.take(slice(0, starts[chunk_leads]))
            rest = rest.take(slice(starts[chunk_leads], None))
    if len(rest):
        yield rest


def _read_claims(batch: pa.RecordBatch) -> Claims:
    import pyarrow as pa

    from resources.store.matching import Claims
    from resources.store.wire import uuid_bytes

    types = {"key": pa.int64(), "tag": pa.int32(), "kind": pa.uint8()}
    key, tag, kind = (batch[name].cast(type_).to_numpy() for name, type_ in types.items())
    return Claims(uuid_bytes(batch["lead_id"]), key, tag, kind)


def _table(repeats: Values) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    from resources.store.wire import uuid_column

    return pa.table(
        {
            "lead_id": uuid_column(repeats["lead"]),
            "existing_lead_id": uuid_column(repeats["existing"]),
            "kind": pa.array(repeats["kind"].astype(np.int16)),
        }
    )
