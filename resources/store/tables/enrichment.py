"""What providers answered, what asking cost, when they may be asked, and what came later than its batch."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from resources.store.tables.base import metadata, since, time_column

# One row per provider and key: what it answered last, negative answers too. Keys are kept as SHA-256 of kind and key:
# an address is found by whoever knows it (erasure), and read by nobody.
provider_answers = Table(
    "provider_answers",
    metadata,
    Column("provider", String, primary_key=True),
    Column("key_sha256", LargeBinary, primary_key=True),
    Column("state", String, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("confidence_share", Double, nullable=False),
    Column("cost_usd", Double, nullable=False),
    time_column("answered_at", nullable=False),
    CheckConstraint("state in ('found', 'unknown', 'withheld')", name="state_known"),
    Index("ix_provider_answers_key", "key_sha256"),
    info=since("0008"),
)

# Who asks a provider for a key just now: nobody else does meanwhile.
provider_claims = Table(
    "provider_claims",
    metadata,
    Column("provider", String, primary_key=True),
    Column("key_sha256", LargeBinary, primary_key=True),
    Column("holder", String, nullable=False),
    time_column("expires_at", nullable=False),
    info=since("0008"),
)

# How a provider stands: its breaker, and when its rate next allows a call. The row is the lock of its budget.
provider_states = Table(
    "provider_states",
    metadata,
    Column("provider", String, primary_key=True),
    Column("breaker", String, nullable=False, server_default=text("'closed'")),
    Column("opens_count", Integer, nullable=False, server_default=text("0")),  # in a row
    time_column("open_until"),
    time_column("probe_until"),  # a probe is on its way until then
    time_column("window_at"),  # only calls since then speak for or against it
    time_column("next_call_at"),  # the theoretical arrival time of its rate (GCRA)
    Column("wanted_count", Integer, nullable=False, server_default=text("0")),  # calls, since it opened
    Column("let_through_count", Integer, nullable=False, server_default=text("0")),  # probes, since it opened
    Column("last_error_code", String),
    CheckConstraint("breaker in ('closed', 'open', 'half_open')", name="breaker_known"),
    info=since("0008"),
)

provider_calls = Table(
    "provider_calls",
    metadata,
    Column("call_id", Uuid, primary_key=True),
    Column("provider", String, nullable=False),
    Column("kind", String, nullable=False),
    time_column("started_at", nullable=False),
    Column("seconds", Double, nullable=False),
    Column("outcome", String, nullable=False),
    Column("error_code", String),
    Column("is_probe", Boolean, nullable=False),
    Column("keys_count", Integer, nullable=False),
    Column("known_count", Integer, nullable=False),
    Column("facts_count", Integer, nullable=False),
    Column("refused_facts_count", Integer, nullable=False),
    Column("cost_usd", Double, nullable=False),
    CheckConstraint("outcome in ('answered', 'failed', 'refused')", name="outcome_known"),
    Index("ix_provider_calls_provider", "provider", "started_at"),
    info=since("0008"),
)

# Money by provider and day (UTC): reserved before a call, settled after it. What a killed call reserved stays spent.
provider_spend = Table(
    "provider_spend",
    metadata,
    Column("provider", String, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("spent_usd", Double, nullable=False),
    info=since("0008"),
)

# Leads that went on without what a provider could have said: they are completed when it is back.
enrichment_gaps = Table(
    "enrichment_gaps",
    metadata,
    Column("lead_id", Uuid, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("batch_id", String, nullable=False),
    Column("reason_code", String, nullable=False),
    Column("attempts_count", SmallInteger, nullable=False, server_default=text("0")),
    time_column("opened_at", nullable=False),
    time_column("next_at"),  # null: closed, or given up
    time_column("closed_at"),
    Index("ix_enrichment_gaps_due", "kind", "next_at", postgresql_where=text("next_at is not null")),
    info=since("0008"),
)

# Facts that came after their lead's batch was done. The lake stays as it was; readers lay these over it.
enrichment_additions = Table(
    "enrichment_additions",
    metadata,
    Column("lead_id", Uuid, primary_key=True),
    Column("field", String, primary_key=True),
    Column("value", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("confidence_share", Double, nullable=False),
    Column("cost_usd", Double, nullable=False),
    time_column("answered_at", nullable=False),
    time_column("added_at", nullable=False),
    info=since("0008"),
)
