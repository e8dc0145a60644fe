"""The store's tables, as SQLAlchemy Core metadata in the schema ``aiqleads``, a module for each part of the work.

Belongs here: shapes and constraints. Migrations (``migrations/``) build them; a test holds both together.
"""

from resources.store.tables.access import api_keys, lead_quota_slots, lead_quotas, login_failures, signing_keys
from resources.store.tables.alerting import alert_groups, alerts, lead_contacts, sla_batches, sla_clocks
from resources.store.tables.base import SCHEMA, metadata
from resources.store.tables.batches import batches, drops, leases, pins
from resources.store.tables.crm import crm_jobs, crm_mappings, crm_paces, crm_records, crm_usage
from resources.store.tables.delivering import (
    VIEWS,
    batch_deliveries,
    batch_files,
    delivery_attempts,
    delivery_lanes,
    delivery_workers,
    notices,
    outbox,
)
from resources.store.tables.enrichment import (
    enrichment_additions,
    enrichment_gaps,
    provider_answers,
    provider_calls,
    provider_claims,
    provider_spend,
    provider_states,
)
from resources.store.tables.identity import identity_answers, identity_keys
from resources.store.tables.intake import (
    batch_mappings,
    idempotency_keys,
    intake,
    lead_updates,
    uploads,
    webhook_events,
)
from resources.store.tables.learning import outcomes, touches
from resources.store.tables.publishing import (
    drift_states,
    event_cursors,
    rescorings,
    rule_previews,
    rule_publications,
    rule_sets,
    score_overrides,
)
from resources.store.tables.routing import accounts, owner_loads, owner_totals, review_queue, routings
from resources.store.tables.scraping import scrape_pages, scrapes

__all__ = [
    "SCHEMA",
    "VIEWS",
    "accounts",
    "alert_groups",
    "alerts",
    "api_keys",
    "batch_deliveries",
    "batch_files",
    "batch_mappings",
    "batches",
    "crm_jobs",
    "crm_mappings",
    "crm_paces",
    "crm_records",
    "crm_usage",
    "delivery_attempts",
    "delivery_lanes",
    "delivery_workers",
    "drift_states",
    "drops",
    "enrichment_additions",
    "enrichment_gaps",
    "event_cursors",
    "idempotency_keys",
    "identity_answers",
    "identity_keys",
    "intake",
    "lead_contacts",
    "lead_quota_slots",
    "lead_quotas",
    "lead_updates",
    "leases",
    "login_failures",
    "metadata",
    "notices",
    "outbox",
    "outcomes",
    "owner_loads",
    "owner_totals",
    "pins",
    "provider_answers",
    "provider_calls",
    "provider_claims",
    "provider_spend",
    "provider_states",
    "rescorings",
    "review_queue",
    "routings",
    "rule_previews",
    "rule_publications",
    "rule_sets",
    "score_overrides",
    "scrape_pages",
    "scrapes",
    "signing_keys",
    "sla_batches",
    "sla_clocks",
    "touches",
    "uploads",
    "webhook_events",
]
