"""What a person must see."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, String, Table, text

from resources.store.tables.base import metadata, time_column

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
