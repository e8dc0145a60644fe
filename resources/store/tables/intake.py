"""The doors: what they took in, one lead at a time, as files, and as events."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from resources.store.tables.base import metadata, since, time_column

# Leads that were told "accepted": checked, their identity claimed in the same transaction. Those without a batch wait;
# gathered into one, the row stays to tell whose lead it is, and its content is in the batch's drop.
intake = Table(
    "intake",
    metadata,
    Column("lead_id", Uuid, primary_key=True),  # ascends by time: version 7
    Column("client", String, nullable=False),
    Column("source", String, nullable=False),
    Column("source_channel", String, nullable=False),
    time_column("received_at", nullable=False),
    Column("content", String),  # JSON: the columns as text, `extra`; null once it is in a drop
    Column("batch_id", String),
    CheckConstraint("(content is null) = (batch_id is not null)", name="waits_or_gathered"),
    Index("ix_intake_waiting", "source", "source_channel", "lead_id", postgresql_where=text("batch_id is null")),
    info=since("0003"),
)

# Answers to requests that had an Idempotency-Key, to be given again byte for byte. Written with what they tell of.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("client", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("request_sha256", LargeBinary, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    time_column("answered_at", nullable=False),
    Index("ix_idempotency_keys_answered", "answered_at"),
    info=since("0003"),
)

# What later requests said about a lead, where its source takes updates. Rows are added, never changed: how a lead
# stands now is folded from its batch's row and these, in the order of their ids.
lead_updates = Table(
    "lead_updates",
    metadata,
    Column("update_id", Uuid, primary_key=True),  # ascends by time; also the id of the touch it counts as
    Column("lead_id", Uuid, nullable=False),
    Column("client", String, nullable=False),
    Column("source", String, nullable=False),
    time_column("received_at", nullable=False),
    Column("content", String, nullable=False),
    Index("ix_lead_updates_lead", "lead_id", "update_id"),
    info=since("0003"),
)

# Whose a batch is: each client that sent its bytes. `made_it`: the batch did not exist before.
uploads = Table(
    "uploads",
    metadata,
    Column("batch_id", String, primary_key=True),
    Column("client", String, primary_key=True),
    Column("made_it", Boolean, nullable=False),
    Column("name", String, nullable=False),  # as the client calls the file
    time_column("sent_at", nullable=False),
    Index("ix_uploads_client", "client", "sent_at"),
    info=since("0005"),
)

# What columns of a batch's file mean, where its sender said otherwise than the rules: header to contract column.
batch_mappings = Table(
    "batch_mappings",
    metadata,
    Column("batch_id", String, primary_key=True),
    Column("mapping", JSONB, nullable=False),
    info=since("0005"),
)

# Events of webhooks that were taken in, to know them again: written with the leads they brought. An event that its
# sender repeats brings nothing more and is told of the same leads.
webhook_events = Table(
    "webhook_events",
    metadata,
    Column("source", String, primary_key=True),
    Column("event_sha256", LargeBinary, primary_key=True),  # of the event's id, or of its body if it has none
    Column("lead_ids", ARRAY(Uuid), nullable=False),
    time_column("received_at", nullable=False),
    Index("ix_webhook_events_received", "received_at"),
    info=since("0006"),
)
