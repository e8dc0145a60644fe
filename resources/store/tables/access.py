"""The doors: who may, and how much."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, String, Table, text
from sqlalchemy.dialects.postgresql import JSONB

from resources.store.tables.base import metadata, since, time_column

# API keys. The secret itself is nowhere: only its SHA-256. `key_id` is the part that may be shown.
api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String, primary_key=True),
    Column("client", String, nullable=False),
    Column("role", String, nullable=False),
    Column("scopes", JSONB, nullable=False, server_default=text("'[]'::jsonb")),  # [] is all that the role may
    Column("networks", JSONB, nullable=False, server_default=text("'[]'::jsonb")),  # [] is from anywhere
    Column("secret_sha256", LargeBinary, nullable=False),
    time_column("created_at", nullable=False),
    time_column("expires_at"),
    time_column("revoked_at"),
    time_column("last_used_at"),  # to the minute: written seldom
    Column("rotated_to", String),  # the key that takes its place
    CheckConstraint("role in ('admin', 'ops', 'client', 'viewer')", name="role_known"),
    CheckConstraint("octet_length(secret_sha256) = 32", name="secret_hashed"),
    Index("ix_api_keys_client", "client"),
    info=since("0002"),
)

# The keys that sign our access tokens, shared by all workers of all hosts. One signs until the next is made; it
# verifies until the last token it signed is over.
signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String, primary_key=True),
    Column("private_jwk", JSONB, nullable=False),  # a secret
    time_column("created_at", nullable=False),
    time_column("signs_until", nullable=False),
    time_column("verifies_until", nullable=False),
    info=since("0002"),
)

# Failed log-ins by address (`ip:...`) and by key (`key:...`): brute force is slowed, whichever worker it meets.
login_failures = Table(
    "login_failures",
    metadata,
    Column("subject", String, primary_key=True),
    Column("failures_count", Integer, nullable=False),
    time_column("last_failed_at", nullable=False),
    time_column("blocked_until", nullable=False),
    Index("ix_login_failures_last", "last_failed_at"),
    info=since("0002"),
)

# How many leads each client sent within the sliding window: the running total, whose row is the client's lock, and the
# slots of time that it is made of. Slots leave the total when they leave the window.
lead_quotas = Table(
    "lead_quotas",
    metadata,
    Column("client", String, primary_key=True),
    Column("used_count", BigInteger, nullable=False, server_default=text("0")),
    Column("max_count", BigInteger),  # of this client; null is RATE_LIMIT_MAX
    CheckConstraint("used_count >= 0", name="used_positive"),
    info=since("0002"),
    postgresql_with={"fillfactor": "50"},
)
lead_quota_slots = Table(
    "lead_quota_slots",
    metadata,
    Column("client", String, primary_key=True),
    Column("ends_at_ms", BigInteger, primary_key=True, autoincrement=False),  # end of the slot, milliseconds since 1970
    Column("leads_count", BigInteger, nullable=False),
    info=since("0002"),
)
