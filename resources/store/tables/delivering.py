"""What goes out: the outbox, files of batches, and the view that tells how each delivery stands."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, SmallInteger, String, Table, Uuid, text

from resources.store.tables.base import metadata, time_column

# The outbox: intents of delivery. One is due when `next_attempt_at` is set; one that goes out with its batch's file has
# none, and is delivered when `batch_files` says that the file went out: a million rows become delivered by one. So read
# the view `deliveries` (`views/deliveries.sql`), which says what each has come to. `delivery_id` begins as its lead's
# id does: ascending inserts, and all deliveries of a lead lie side by side under the primary key.
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
)

# The files that went out, each with all leads of a batch that are meant for its destination.
batch_files = Table(
    "batch_files",
    metadata,
    Column("batch_id", String, primary_key=True),
    Column("destination", String, primary_key=True),
    time_column("delivered_at", nullable=False),
)

# Views, by the migration that makes them: `sql/store/views/<name>.sql`.
VIEWS = {"deliveries": "0001"}
