"""Crawls and the pages they saw."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, String, Table, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from resources.store.tables.base import metadata, since, time_column

# One row per crawl of a site that was asked for. Of each site one is open (waiting or running) at a time: who asks
# again is given that one.
scrapes = Table(
    "scrapes",
    metadata,
    Column("scrape_id", Uuid, primary_key=True),
    Column("site", String, nullable=False),
    Column("state", String, nullable=False),
    Column("requested_by", String, nullable=False),
    time_column("requested_at", nullable=False),
    time_column("started_at"),
    time_column("finished_at"),
    Column("attempts_count", Integer, nullable=False, server_default=text("0")),
    Column("run_id", String),
    Column("counts", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("drop_uri", String),
    Column("reason_code", String),
    CheckConstraint("state in ('waiting', 'running', 'done', 'failed')", name="state_known"),
    Index("uq_scrapes_open", "site", unique=True, postgresql_where=text("state in ('waiting', 'running')")),
    Index("ix_scrapes_site", "site", "requested_at"),
    info=since("0004"),
)

# What a page was when its leads last became a durable drop: what to ask for it next time, and the links to go on by
# when it answers "not modified".
scrape_pages = Table(
    "scrape_pages",
    metadata,
    Column("site", String, primary_key=True),
    Column("url_sha256", LargeBinary, primary_key=True),
    Column("url", String, nullable=False),
    Column("etag", String),
    Column("last_modified", String),
    Column("content_sha256", String, nullable=False),  # of the evidence that is kept
    Column("leads_sha256", String, nullable=False),
    Column("rules_sha256", String, nullable=False),  # of the site's rules it was read by
    Column("links", JSONB, nullable=False),
    time_column("fetched_at", nullable=False),
    info=since("0004"),
)
