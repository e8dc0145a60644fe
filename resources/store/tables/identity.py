"""The identity index and its answers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Table, Uuid

from resources.store.tables.base import metadata

# The identity index: 64-bit hash of (kind, normalised value). `tag` is 0 but for phones, where it is the hash of the
# last name (0 for a nameless lead). Rows are added, never changed; `matching.py` says which row a claim takes, so that
# the primary key is what keeps two leads from being one person. Narrow on purpose: at a million leads it is what costs.
identity_keys = Table(
    "identity_keys",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("tag", Integer, nullable=False),
    Column("lead_id", Uuid, nullable=False),
)

# What claiming a chunk of a batch came to: the same claims get the same answer for ever, whoever claimed in between.
identity_answers = Table(
    "identity_answers",
    metadata,
    Column("claimant", String, primary_key=True),  # the lease's name
    Column("chunk_number", Integer, primary_key=True, autoincrement=False),
    Column("claims_sha256", LargeBinary, nullable=False),
    Column("repeats", LargeBinary, nullable=False),  # 33 bytes each: lead, existing lead, kind
)
