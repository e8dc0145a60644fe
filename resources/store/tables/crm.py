"""What CRMs were given: a mark of every record sent, jobs under way, the account's limits, the pace of calls."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Float, Integer, LargeBinary, String, Table, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from resources.store.tables.base import metadata, since, time_column

# What the CRM holds of a lead as far as we know. `marks` are four bytes per field of the mapping (`crm_mappings`):
# hashes, so that reading back can tell what differs without a copy of anybody's data.
crm_records = Table(
    "crm_records",
    metadata,
    Column("destination", String, primary_key=True),
    Column("lead_id", Uuid, primary_key=True),
    Column("delivery_id", Uuid, nullable=False),
    Column("external_id", String),
    Column("mapping_id", String, nullable=False),
    Column("marks", LargeBinary, nullable=False),
    Column("owner_sent", String),  # their ids of the owner: as we last said, and
    Column("owner_at_crm", String),  # as it was last read back
    time_column("sent_at", nullable=False),
    time_column("read_at"),
    Column("repairs_count", Integer, nullable=False, server_default=text("0")),
    Column("result", String),  # the last outcome that was read back
    info=since("0007"),
)

# The fields that `marks` are of, with the ways they are compared, in their order. `mapping_id` is a hash of them.
crm_mappings = Table(
    "crm_mappings",
    metadata,
    Column("mapping_id", String, primary_key=True),
    Column("signatures", ARRAY(String), nullable=False),
    info=since("0007"),
)

# Bulk jobs whose results were not read yet, with the deliveries that went with them.
crm_jobs = Table(
    "crm_jobs",
    metadata,
    Column("destination", String, primary_key=True),
    Column("job_id", String, primary_key=True),
    Column("delivery_ids", ARRAY(Uuid), nullable=False),
    time_column("created_at", nullable=False),
    info=since("0007"),
)

# How much of an account's daily limit was used, a row a minute, kept for some days: what the forecast rests on.
crm_usage = Table(
    "crm_usage",
    metadata,
    Column("destination", String, primary_key=True),
    Column("observed_at", DateTime(timezone=True), primary_key=True),
    Column("used_count", BigInteger, nullable=False),
    Column("limit_count", BigInteger, nullable=False),
    info=since("0007"),
)

# When the next call of an account has its turn: one row that all processes move on.
crm_paces = Table(
    "crm_paces",
    metadata,
    Column("name", String, primary_key=True),
    Column("next_turn_s", Float(53), nullable=False),  # seconds since 1970 by the database's clock
    info=since("0007"),
)
