"""What became of leads, and signs of intent: outcomes and touches."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Double, Index, String, Table, Uuid, text

from resources.store.tables.base import metadata, time_column

outcomes = Table(
    "outcomes",
    metadata,
    Column("lead_id", Uuid, primary_key=True),
    Column("result", String, nullable=False),
    time_column("closed_at", nullable=False),
    Column("revenue_usd", Double),
    Column("batch_id", String, nullable=False),
    Column("owner", String),  # whose load it closed; null while the owner is not known
    Column("is_bounced", Boolean, nullable=False, server_default=text("false")),  # returned: nobody could be reached
    Index("ix_outcomes_batch", "batch_id"),
    CheckConstraint("result in ('won', 'lost', 'returned')", name="result_known"),
)

# A repeat of a known lead counts as a touch: a sign of intent.
touches = Table(
    "touches",
    metadata,
    Column("lead_id", Uuid, primary_key=True),  # the repeating row's lead id: one touch each, however often it is run
    Column("existing_lead_id", Uuid, nullable=False),
    Column("batch_id", String, nullable=False),
    Column("kind", String, nullable=False),
    time_column("touched_at", nullable=False),
    Index("ix_touches_existing", "existing_lead_id"),
    Index("ix_touches_batch", "batch_id"),
)
