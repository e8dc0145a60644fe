"""What was dropped and who works on it: batches, drops, leases, pins."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from resources.store.tables.base import metadata, time_column

# One batch = one Dagster partition. `state`: waiting (registered) -> requested (a run was asked for) -> running ->
# done | failed (may be tried again) | quarantined (its drop can't be read).
batches = Table(
    "batches",
    metadata,
    Column("batch_id", String, primary_key=True),
    Column("source", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("state", String, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    time_column("received_at", nullable=False),
    Column("requested_by", String),
    time_column("requested_at"),
    time_column("finished_at"),
    Column("attempts_count", Integer, nullable=False, server_default=text("0")),
    Column("reason_code", String),
    Column("detail", String),
    Column("counts", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("run_id", String),
    time_column("partition_retired_at"),
    CheckConstraint(
        "state in ('waiting', 'requested', 'running', 'done', 'failed', 'quarantined')", name="state_known"
    ),
    Index("ix_batches_open", "state", postgresql_where=text("state not in ('done', 'quarantined')")),
    Index("ix_batches_source", "source", "received_at"),
    Index("ix_batches_unretired", "received_at", postgresql_where=text("partition_retired_at is null")),
)

# One row per object seen in the bucket. The content's hash is claimed once per source (uq_drops_content); the same
# bytes under another name are a repeat: they point to the batch that has them and make none.
drops = Table(
    "drops",
    metadata,
    Column("drop_id", BigInteger, Identity(), primary_key=True),
    Column("uri", String, nullable=False),
    Column("version", String, nullable=False),  # size and mtime, or ETag: tells a changed object from a known one
    Column("source", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("name", String, nullable=False),
    Column("content_sha256", String, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("archive_uri", String, nullable=False),
    Column("batch_id", String, ForeignKey("aiqleads.batches.batch_id"), nullable=False),
    Column("is_repeat", Boolean, nullable=False),
    time_column("first_seen_at", nullable=False),
    UniqueConstraint("uri", "version", name="uq_drops_uri_version"),
    Index(
        "uq_drops_content",
        "source",
        "content_sha256",
        unique=True,
        postgresql_where=text("not is_repeat"),
    ),
    Index("ix_drops_batch", "batch_id"),
)

# Who works on what. A lease is taken by raising its epoch; every write in its name checks the epoch in the same
# transaction, so a zombie that wakes up after it lost the lease can't commit.
leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    time_column("taken_at", nullable=False),
    time_column("expires_at", nullable=False),
)

# Inputs that a step of a batch read from a changing world (counters, reliability, model), kept so that a second run
# decides the same.
pins = Table(
    "pins",
    metadata,
    Column("batch_id", String, primary_key=True),
    Column("step", String, primary_key=True),
    Column("value", JSONB, nullable=False),
    time_column("pinned_at", nullable=False),
)
