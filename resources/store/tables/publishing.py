"""Rules that were published, scores that were changed by hand or anew, and what drifted."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Double, Identity, Index, Integer, String, Table, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from resources.store.tables.base import metadata, since, time_column

# Every set of rules that scored a batch, was previewed or published: its files whole, by the hash of all of them.
rule_sets = Table(
    "rule_sets",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("files", JSONB, nullable=False),  # name -> text
    time_column("first_seen_at", nullable=False),
    info=since("0010"),
)

# What a draft would have done to past leads, compared with the rules that were in force then.
rule_previews = Table(
    "rule_previews",
    metadata,
    Column("sha256", String, primary_key=True),
    Column("base_sha256", String, primary_key=True),
    time_column("previewed_at", nullable=False),
    Column("previewed_by", String, nullable=False),
    Column("report", JSONB, nullable=False),
    info=since("0010"),
)

# Publications in their order; the last one is in force unless somebody edited the files since.
rule_publications = Table(
    "rule_publications",
    metadata,
    Column("seq", BigInteger, Identity(), primary_key=True),
    Column("sha256", String, nullable=False),
    Column("previous_sha256", String, nullable=False),
    Column("kind", String, nullable=False),
    time_column("published_at", nullable=False),
    Column("published_by", String, nullable=False),
    Column("note", String, nullable=False, server_default=text("''")),
    CheckConstraint("kind in ('publish', 'rollback')", name="kind_known"),
    info=since("0010"),
)

# What a person said of an open lead, until it expires. The row stays: learning never reads it, people do.
score_overrides = Table(
    "score_overrides",
    metadata,
    Column("lead_id", Uuid, primary_key=True),
    Column("priority", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("set_by", String, nullable=False),
    time_column("set_at", nullable=False),
    time_column("expires_at", nullable=False),
    CheckConstraint("priority in ('P1', 'P2', 'P3', 'P4')", name="priority_known"),
    CheckConstraint("expires_at > set_at", name="expires_later"),
    Index("ix_score_overrides_set", "set_at"),
    Index("ix_score_overrides_expires", "expires_at"),
    info=since("0010"),
)

# Each time open leads got new scores: `until` is up to when signals were read.
rescorings = Table(
    "rescorings",
    metadata,
    Column("batch_id", String, primary_key=True),
    Column("kind", String, nullable=False),
    time_column("until", nullable=False),
    Column("leads_count", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("facts", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    CheckConstraint("kind in ('all', 'signalled')", name="kind_known"),
    Index("ix_rescorings_until", "until"),
    info=since("0010"),
)

# Up to when something was told that is told again and again.
event_cursors = Table(
    "event_cursors",
    metadata,
    Column("name", String, primary_key=True),
    time_column("told_until", nullable=False),
    info=since("0010"),
)

# How far each thing that is watched stands from what was learnt from: 0 as usual, 1 warning, 2 alert.
drift_states = Table(
    "drift_states",
    metadata,
    Column("subject", String, primary_key=True),  # `calibration`, `score`, `feature:<name>`
    Column("level", Integer, nullable=False),
    Column("times_count", Integer, nullable=False),  # how often in a row at this level or above
    Column("value", Double, nullable=False),
    Column("detail", String, nullable=False),
    time_column("measured_at", nullable=False),
    CheckConstraint("level between 0 and 2", name="level_known"),
    info=since("0010"),
)
