"""Who has which leads: loads of owners, routings, accounts, the review queue."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from resources.store.tables.base import metadata, time_column

# How many leads each owner was given (by batch, so that a batch can be routed again without counting twice).
owner_loads = Table(
    "owner_loads",
    metadata,
    Column("batch_id", String, primary_key=True),
    Column("owner", String, primary_key=True),
    Column("pool", String, primary_key=True),  # hash of team, members and weights; '' for leads given by account
    Column("turns_count", BigInteger, nullable=False),  # turns of the pool's rota that passed (only on owner '')
    Column("given_count", BigInteger, nullable=False),
)
# The running totals of the above; the row of owner '' holds the pool's turns.
owner_totals = Table(
    "owner_totals",
    metadata,
    Column("owner", String, primary_key=True),
    Column("pool", String, primary_key=True),
    Column("turns_count", BigInteger, nullable=False),
    Column("given_count", BigInteger, nullable=False),
    Column("closed_count", BigInteger, nullable=False, server_default=text("0")),
)

# The batches that were routed, in their order.
routings = Table(
    "routings",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("batch_id", String, nullable=False),
)

# Accounts: the same company goes to the same owner. Append-only: each routing that gives a company an owner adds a row
# with its `seq`, and the account at a time is the company's last row before that `seq`. So a batch that is routed again
# sees what it saw the first time. A routing's rows lie together, which a BRIN index finds at a hundredth of the cost.
accounts = Table(
    "accounts",
    metadata,
    Column("company_domain", String, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("owner", String, nullable=False),
    Column("team", String, nullable=False),
    Index("ix_accounts_seq", "seq", postgresql_using="brin"),
)

review_queue = Table(
    "review_queue",
    metadata,
    Column("lead_id", Uuid, primary_key=True),
    Column("batch_id", String, nullable=False),
    Column("reason_code", String, nullable=False),
    Column("suggestion", JSONB, nullable=False),
    time_column("opened_at", nullable=False),
    time_column("resolved_at"),
    Column("resolved_by", String),
    Column("team", String),
    Column("owner", String),
    Index("ix_review_queue_open", "opened_at", postgresql_where=text("resolved_at is null")),
    Index("ix_review_queue_batch", "batch_id"),
)
