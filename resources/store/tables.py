"""The store's tables, as SQLAlchemy Core metadata in the schema ``aiqleads``.

Belongs here: shapes and constraints. Migrations (``migrations/``) build them; a test holds both together.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "aiqleads"
metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def _time(name: str, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _since(revision: str) -> dict[str, str]:
    """The ``info`` of a table that a later migration than ``0001`` builds: ``migrations.render`` writes that one."""
    return {"since": revision}


# One batch = one Dagster partition. `state`: waiting (registered) -> requested (a run was asked for) -> running ->
# done | failed (may be tried again) | quarantined (its drop can't be read).
batches = Table(
    "batches",
    metadata,
    Column("batch_id", String, primary_key=True),
    Column("source", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("state", String, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    _time("received_at", nullable=False),
    Column("requested_by", String),
    _time("requested_at"),
    _time("finished_at"),
    Column("attempts_count", Integer, nullable=False, server_default=text("0")),
    Column("reason_code", String),
    Column("detail", String),
    Column("counts", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("run_id", String),
    _time("partition_retired_at"),
    CheckConstraint(
        "state in ('waiting', 'requested', 'running', 'done', 'failed', 'quarantined')", name="state_known"
    ),
    Index("ix_batches_open", "state", postgresql_where=text("state not in ('done', 'quarantined')")),
    Index("ix_batches_source", "source", "received_at"),
    Index("ix_batches_unretired", "received_at", postgresql_where=text("partition_retired_at is null")),
)

# One row per object seen in the bucket. The content's hash is claimed once per source (uq_drops_content); the same
# bytes under another name are a repeat: they point to the batch that has them and make none.
drops = Table(
    "drops",
    metadata,
    Column("drop_id", BigInteger, Identity(), primary_key=True),
    Column("uri", String, nullable=False),
    Column("version", String, nullable=False),  # size and mtime, or ETag: tells a changed object from a known one
    Column("source", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("name", String, nullable=False),
    Column("content_sha256", String, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("archive_uri", String, nullable=False),
    Column("batch_id", String, ForeignKey("aiqleads.batches.batch_id"), nullable=False),
    Column("is_repeat", Boolean, nullable=False),
    _time("first_seen_at", nullable=False),
    UniqueConstraint("uri", "version", name="uq_drops_uri_version"),
    Index(
        "uq_drops_content",
        "source",
        "content_sha256",
        unique=True,
        postgresql_where=text("not is_repeat"),
    ),
    Index("ix_drops_batch", "batch_id"),
)

# Who works on what. A lease is taken by raising its epoch; every write in its name checks the epoch in the same
# transaction, so a zombie that wakes up after it lost the lease can't commit.
leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("holder", String, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    _time("taken_at", nullable=False),
    _time("expires_at", nullable=False),
)

# Inputs that a step of a batch read from a changing world (counters, reliability, model), kept so that a second run
# decides the same.
pins = Table(
    "pins",
    metadata,
    Column("batch_id", String, primary_key=True),
    Column("step", String, primary_key=True),
    Column("value", JSONB, nullable=False),
    _time("pinned_at", nullable=False),
)

# The identity index: 64-bit hash of (kind, normalised value). `tag` is 0 but for phones, where it is the hash of the
# last name (0 for a nameless lead). Rows are added, never changed; `matching.py` says which row a claim takes, so that
# the primary key is what keeps two leads from being one person. Narrow on purpose: at a million leads it is what costs.
identity_keys = Table(
    "identity_keys",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("tag", Integer, nullable=False),
    Column("lead_id", Uuid, nullable=False),
)

# What claiming a chunk of a batch came to: the same claims get the same answer for ever, whoever claimed in between.
identity_answers = Table(
    "identity_answers",
    metadata,
    Column("claimant", String, primary_key=True),  # the lease's name
    Column("chunk_number", Integer, primary_key=True, autoincrement=False),
    Column("claims_sha256", LargeBinary, nullable=False),
    Column("repeats", LargeBinary, nullable=False),  # 33 bytes each: lead, existing lead, kind
)

# A repeat of a known lead counts as a touch: a sign of intent.
touches = Table(
    "touches",
    metadata,
    Column("lead_id", Uuid, primary_key=True),  # the repeating row's lead id: one touch each, however often it is run
    Column("existing_lead_id", Uuid, nullable=False),
    Column("batch_id", String, nullable=False),
    Column("kind", String, nullable=False),
    _time("touched_at", nullable=False),
    Index("ix_touches_existing", "existing_lead_id"),
    Index("ix_touches_batch", "batch_id"),
)

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
    _time("opened_at", nullable=False),
    _time("resolved_at"),
    Column("resolved_by", String),
    Column("team", String),
    Column("owner", String),
    Index("ix_review_queue_open", "opened_at", postgresql_where=text("resolved_at is null")),
    Index("ix_review_queue_batch", "batch_id"),
)

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
    _time("next_attempt_at"),
    Column("last_error_code", String),
    Column("external_id", String),
    _time("created_at", nullable=False),
    _time("delivered_at"),
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
    _time("delivered_at", nullable=False),
)

# Views, by the migration that makes them: `sql/store/views/<name>.sql`.
VIEWS = {"deliveries": "0001"}

outcomes = Table(
    "outcomes",
    metadata,
    Column("lead_id", Uuid, primary_key=True),
    Column("result", String, nullable=False),
    _time("closed_at", nullable=False),
    Column("revenue_usd", Double),
    Column("batch_id", String, nullable=False),
    Column("owner", String),  # whose load it closed; null while the owner is not known
    CheckConstraint("result in ('won', 'lost', 'returned')", name="result_known"),
)

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
    _time("opened_at", nullable=False),
    _time("last_seen_at", nullable=False),
    _time("closed_at"),
    Index("uq_alerts_open", "code", "subject", unique=True, postgresql_where=text("closed_at is null")),
)

# --- the doors: who may, and how much --------------------------------------------------------------------------

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
    _time("created_at", nullable=False),
    _time("expires_at"),
    _time("revoked_at"),
    _time("last_used_at"),  # to the minute: written seldom
    Column("rotated_to", String),  # the key that takes its place
    CheckConstraint("role in ('admin', 'ops', 'client', 'viewer')", name="role_known"),
    CheckConstraint("octet_length(secret_sha256) = 32", name="secret_hashed"),
    Index("ix_api_keys_client", "client"),
    info=_since("0002"),
)

# The keys that sign our access tokens, shared by all workers of all hosts. One signs until the next is made; it
# verifies until the last token it signed is over.
signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", String, primary_key=True),
    Column("private_jwk", JSONB, nullable=False),  # a secret
    _time("created_at", nullable=False),
    _time("signs_until", nullable=False),
    _time("verifies_until", nullable=False),
    info=_since("0002"),
)

# Failed log-ins by address (`ip:...`) and by key (`key:...`): brute force is slowed, whichever worker it meets.
login_failures = Table(
    "login_failures",
    metadata,
    Column("subject", String, primary_key=True),
    Column("failures_count", Integer, nullable=False),
    _time("last_failed_at", nullable=False),
    _time("blocked_until", nullable=False),
    Index("ix_login_failures_last", "last_failed_at"),
    info=_since("0002"),
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
    info=_since("0002"),
    postgresql_with={"fillfactor": "50"},
)
lead_quota_slots = Table(
    "lead_quota_slots",
    metadata,
    Column("client", String, primary_key=True),
    Column("ends_at_ms", BigInteger, primary_key=True, autoincrement=False),  # end of the slot, milliseconds since 1970
    Column("leads_count", BigInteger, nullable=False),
    info=_since("0002"),
)

# --- the doors: what they took in ------------------------------------------------------------------------------

# Leads that were told "accepted": checked, their identity claimed in the same transaction. Those without a batch wait;
# gathered into one, the row stays to tell whose lead it is, and its content is in the batch's drop.
intake = Table(
    "intake",
    metadata,
    Column("lead_id", Uuid, primary_key=True),  # ascends by time: version 7
    Column("client", String, nullable=False),
    Column("source", String, nullable=False),
    Column("source_channel", String, nullable=False),
    _time("received_at", nullable=False),
    Column("content", String),  # JSON: the columns as text, `extra`; null once it is in a drop
    Column("batch_id", String),
    CheckConstraint("(content is null) = (batch_id is not null)", name="waits_or_gathered"),
    Index("ix_intake_waiting", "source", "source_channel", "lead_id", postgresql_where=text("batch_id is null")),
    info=_since("0003"),
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
    _time("answered_at", nullable=False),
    Index("ix_idempotency_keys_answered", "answered_at"),
    info=_since("0003"),
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
    _time("received_at", nullable=False),
    Column("content", String, nullable=False),
    Index("ix_lead_updates_lead", "lead_id", "update_id"),
    info=_since("0003"),
)

# --- scraping --------------------------------------------------------------------------------------------------

# One row per crawl of a site that was asked for. Of each site one is open (waiting or running) at a time: who asks
# again is given that one.
scrapes = Table(
    "scrapes",
    metadata,
    Column("scrape_id", Uuid, primary_key=True),
    Column("site", String, nullable=False),
    Column("state", String, nullable=False),
    Column("requested_by", String, nullable=False),
    _time("requested_at", nullable=False),
    _time("started_at"),
    _time("finished_at"),
    Column("attempts_count", Integer, nullable=False, server_default=text("0")),
    Column("run_id", String),
    Column("counts", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("drop_uri", String),
    Column("reason_code", String),
    CheckConstraint("state in ('waiting', 'running', 'done', 'failed')", name="state_known"),
    Index("uq_scrapes_open", "site", unique=True, postgresql_where=text("state in ('waiting', 'running')")),
    Index("ix_scrapes_site", "site", "requested_at"),
    info=_since("0004"),
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
    _time("fetched_at", nullable=False),
    info=_since("0004"),
)

# --- batches that clients send as files ------------------------------------------------------------------------

# Whose a batch is: each client that sent its bytes. `made_it`: the batch did not exist before.
uploads = Table(
    "uploads",
    metadata,
    Column("batch_id", String, primary_key=True),
    Column("client", String, primary_key=True),
    Column("made_it", Boolean, nullable=False),
    Column("name", String, nullable=False),  # as the client calls the file
    _time("sent_at", nullable=False),
    Index("ix_uploads_client", "client", "sent_at"),
    info=_since("0005"),
)

# What columns of a batch's file mean, where its sender said otherwise than the rules: header to contract column.
batch_mappings = Table(
    "batch_mappings",
    metadata,
    Column("batch_id", String, primary_key=True),
    Column("mapping", JSONB, nullable=False),
    info=_since("0005"),
)

# --- the doors: webhooks -----------------------------------------------------------------------------------------

# Events of webhooks that were taken in, to know them again: written with the leads they brought. An event that its
# sender repeats brings nothing more and is told of the same leads.
webhook_events = Table(
    "webhook_events",
    metadata,
    Column("source", String, primary_key=True),
    Column("event_sha256", LargeBinary, primary_key=True),  # of the event's id, or of its body if it has none
    Column("lead_ids", ARRAY(Uuid), nullable=False),
    _time("received_at", nullable=False),
    Index("ix_webhook_events_received", "received_at"),
    info=_since("0006"),
)
