"""What a person must see, what of it was told where, and the clock of promises."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Uuid,
    text,
)

from resources.store.tables.base import metadata, since, time_column

# What a person must see. One open alert per subject; it is closed when healed.
alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", BigInteger, Identity(), primary_key=True),
    Column("code", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("detail", String, nullable=False),
    Column("run_id", String),
    Column("times_count", Integer, nullable=False, server_default=text("1")),
    time_column("opened_at", nullable=False),
    time_column("last_seen_at", nullable=False),
    time_column("closed_at"),
    Index("uq_alerts_open", "code", "subject", unique=True, postgresql_where=text("closed_at is null")),
)

# What was told of alerts that belong together, by destination: one incident at a time, from the first notice of it to
# the one that it healed. `incident_number` tells one from the next; `notices_count` names its notices.
alert_groups = Table(
    "alert_groups",
    metadata,
    Column("destination", String, primary_key=True),
    Column("group_key", String, primary_key=True),
    Column("incident_number", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("code", String, nullable=False),
    Column("told_alert_id", BigInteger, nullable=False),  # the youngest alert that was told
    Column("notices_count", Integer, nullable=False),
    time_column("opened_at", nullable=False),
    time_column("told_at", nullable=False),
    time_column("healed_at"),
    CheckConstraint("state in ('open', 'healed')", name="state_known"),
    info=since("0009"),
)

# The clock of a routed lead: when its first touch is due, who has it now, who had it before. `next_step_at` is when
# something follows from silence (first an escalation, then another owner); null: nothing more does.
sla_clocks = Table(
    "sla_clocks",
    metadata,
    Column("lead_id", Uuid, primary_key=True),
    Column("batch_id", String, nullable=False),
    Column("team", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("priority", String, nullable=False),
    Column("sla_minutes", Integer, nullable=False),
    time_column("received_at", nullable=False),
    time_column("routed_at", nullable=False),
    time_column("due_at", nullable=False),
    time_column("notified_at"),
    time_column("touched_at"),
    time_column("breached_at"),
    time_column("next_step_at"),
    Column("escalations_count", SmallInteger, nullable=False, server_default=text("0")),
    Column("reassignments_count", SmallInteger, nullable=False, server_default=text("0")),
    Column("had_owners", ARRAY(String), nullable=False),
    Index(
        "ix_sla_clocks_due", "next_step_at", postgresql_where=text("touched_at is null and next_step_at is not null")
    ),
    Index("ix_sla_clocks_late", "team", postgresql_where=text("touched_at is null and breached_at is not null")),
    Index("ix_sla_clocks_batch", "batch_id", postgresql_using="brin"),
    info=since("0009"),
)

# Batches whose leads have a clock, as of the run that ended then.
sla_batches = Table(
    "sla_batches",
    metadata,
    Column("batch_id", String, primary_key=True),
    time_column("finished_at", nullable=False),
    Column("clocks_count", Integer, nullable=False),
    info=since("0009"),
)

# Somebody spoke with a lead: what callbacks tell.
lead_contacts = Table(
    "lead_contacts",
    metadata,
    Column("contact_id", Uuid, primary_key=True),
    Column("lead_id", Uuid, nullable=False),
    Column("kind", String, nullable=False),
    time_column("contacted_at", nullable=False),
    Column("client", String, nullable=False),
    time_column("received_at", nullable=False),
    Index("ix_lead_contacts_lead", "lead_id", "contacted_at"),
    Index("ix_lead_contacts_received", "received_at", postgresql_using="brin"),
    info=since("0009"),
)
