"""The tables of where a lead goes: its owner, the queue of those that wait, the deliveries."""

from __future__ import annotations

from aiqleads_pipeline.contract.columns import INT, JSON, TEXT, TIME, UUID, Column, Table
from aiqleads_pipeline.contract.lead import BATCH_ID, LEAD_ID
from aiqleads_pipeline.contract.vocabulary import PRIORITIES

ROUTED_LEADS = Table(
    "routed_leads",
    "routed lead",
    "Who gets the lead, by which rule, why that person and why not the others, and until when.",
    (
        LEAD_ID,
        BATCH_ID,
        Column("team", TEXT, "Team", required=True),
        Column("owner", TEXT, "Owner: the person's id in teams.yaml", required=True),
        Column("rule_id", TEXT, "Routing rule", required=True),
        Column("owner_method", TEXT, "How the owner was found", required=True, one_of=("account", "rota")),
        Column("priority", TEXT, "Priority at the time of routing", required=True, one_of=PRIORITIES),
        Column("reasons", JSON, "JSON: rule, method, turn, candidates, why the others were passed over", required=True),
        Column("sla_due_at", TIME, "First touch is due by then", required=True),
        Column("routed_at", TIME, "When it was decided", required=True),
    ),
    key=("lead_id",),
)

REVIEW_QUEUE = Table(
    "review_queue",
    "lead that waits for a person",
    "Leads that no rule matched, no owner had room for, or that wait because routing is off (store).",
    (
        LEAD_ID,
        BATCH_ID,
        Column(
            "reason_code",
            TEXT,
            "Why it waits",
            required=True,
            one_of=("no_rule", "sent_to_review", "no_capacity", "no_owner", "routing_disabled", "routing_failed"),
        ),
        Column("suggestion", JSON, "JSON: team, owner and rule that would be taken", required=True),
        Column("opened_at", TIME, "Since when it waits", required=True),
        Column("resolved_at", TIME, "When a person decided"),
    ),
    key=("lead_id",),
)

DELIVERIES = Table(
    "deliveries",
    "lead and destination",
    "The outbox: every intent of delivery and what became of it (store).",
    (
        Column("delivery_id", UUID, "Stays the same over retries; the receivers' idempotency key", required=True),
        LEAD_ID,
        BATCH_ID,
        Column("destination", TEXT, "Name in destinations.yaml", required=True),
        Column(
            "state",
            TEXT,
            "Where it stands",
            required=True,
            one_of=("pending", "in_flight", "delivered", "dead", "cancelled"),
        ),
        Column("attempts", INT, "Attempts so far", required=True, at_least=0),
        Column("next_attempt_at", TIME, "When it is tried next"),
        Column("last_error_code", TEXT, "Why the last attempt failed"),
        Column("external_id", TEXT, "The record's id at the destination"),
    ),
    key=("delivery_id",),
)
