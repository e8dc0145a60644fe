"""What goes out: the outbox, files of batches, notices, and the view that tells how each delivery stands; each
attempt, and what all processes know of a destination together."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from resources.store.tables.base import metadata, since, time_column

# The outbox: intents of delivery. One is due when `next_attempt_at` is set; one that goes out with its batch's file has
# none. That stands with many others in a row of `batch_deliveries` (or here, if the batch was routed again), and is
# delivered when `batch_files` says that the file went out: a million become delivered by one row. So read the view
# `deliveries` (`views/deliveries.sql`), which says what each has come to. `delivery_id` begins as its lead's id does:
# ascending inserts, and all deliveries of a lead lie side by side under the primary key.
outbox = Table(
    "outbox",
    metadata,
    Column("delivery_id", Uuid, primary_key=True),
    Column("lead_id", Uuid, nullable=False),
    Column("batch_id", String, nullable=False),
    Column("destination", String, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    time_column("next_attempt_at"),
    Column("last_error_code", String),
    Column("external_id", String),
    time_column("created_at", nullable=False),
    time_column("delivered_at"),
    CheckConstraint("state in ('pending', 'in_flight', 'delivered', 'dead', 'cancelled')", name="state_known"),
    CheckConstraint("next_attempt_at is null or state in ('pending', 'in_flight')", name="due_only_while_open"),
    Index(
        "ix_outbox_due",
        "destination",
        "priority",
        "next_attempt_at",
        postgresql_where=text("next_attempt_at is not null"),
    ),
    Index("ix_outbox_batch", "batch_id", postgresql_using="brin"),
    Index("ix_outbox_dead", "destination", "created_at", postgresql_where=text("state = 'dead'")),
)

# Intents that go out with their batch's file, thousands of leads a row: ascending, from the first to the last.
batch_deliveries = Table(
    "batch_deliveries",
    metadata,
    Column("batch_id", String, primary_key=True),
    Column("destination", String, primary_key=True),
    Column("priority", SmallInteger, primary_key=True),
    Column("first_lead_id", Uuid, primary_key=True),
    Column("last_lead_id", Uuid, nullable=False),
    Column("lead_ids", ARRAY(Uuid), nullable=False),
    time_column("created_at", nullable=False),
    Index("ix_batch_deliveries_leads", "first_lead_id", "last_lead_id"),
)

# The files that went out, each with all leads of a batch that are meant for its destination.
batch_files = Table(
    "batch_files",
    metadata,
    Column("batch_id", String, primary_key=True),
    Column("destination", String, primary_key=True),
    time_column("delivered_at", nullable=False),
)

# What is delivered that is no lead. In the outbox its id stands in the place of the lead's, and its batch is `notices`.
notices = Table(
    "notices",
    metadata,
    Column("notice_id", Uuid, primary_key=True),
    Column("topic", String, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("dedup_key", String, unique=True),
    time_column("created_at", nullable=False),
    info=since("0007"),
)

# The log of attempts, kept for some days. Nothing of a lead is in it: `answer` is the head of what the receiver said,
# with whatever could be a person's blotted out.
delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("attempt_id", BigInteger, Identity(always=True), primary_key=True),
    Column("delivery_id", Uuid, nullable=False),
    Column("destination", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("outcome", String, nullable=False),
    Column("error_code", String),
    Column("status_code", Integer),
    Column("detail", String),
    Column("answer", String),
    Column("sent_bytes_count", Integer),
    Column("answer_bytes_count", Integer),
    Column("seconds", Double, nullable=False),
    time_column("started_at", nullable=False),
    Index("ix_delivery_attempts_delivery", "delivery_id"),
    Index("ix_delivery_attempts_started", "started_at", postgresql_using="brin"),
    info=since("0007"),
)

# How a destination stands, for all processes: switched on or off, its breaker (`failures_count` in a row,
# `open_until`), the pause it asked for, what is left of its rate. Its row is the lock of claiming.
delivery_lanes = Table(
    "delivery_lanes",
    metadata,
    Column("destination", String, primary_key=True),
    Column("state", String, nullable=False, server_default=text("'on'")),
    Column("off_reason", String),
    time_column("off_at"),
    Column("failures_count", Integer, nullable=False, server_default=text("0")),
    Column("opened_count", Integer, nullable=False, server_default=text("0")),
    time_column("open_until"),
    time_column("paused_until"),
    Column("tokens", Double, nullable=False, server_default=text("0")),
    time_column("tokens_at"),
    Column("claimed_count", BigInteger, nullable=False, server_default=text("0")),
    time_column("failing_since"),
    Column("warnings_count", Integer, nullable=False, server_default=text("0")),
    time_column("delivered_at"),
    CheckConstraint("state in ('on', 'off')", name="state_known"),
    info=since("0007"),
)

# Which processes send to a destination, and how many calls at once each of them may make.
delivery_workers = Table(
    "delivery_workers",
    metadata,
    Column("destination", String, primary_key=True),
    Column("worker", String, primary_key=True),
    Column("slots_count", Integer, nullable=False),
    time_column("expires_at", nullable=False),
    info=since("0007"),
)

# Views, by the migration that makes them: `sql/store/views/<name>.sql`.
VIEWS = {"file_deliveries": "0001", "deliveries": "0001", "provider_scoreboard": "0008"}
