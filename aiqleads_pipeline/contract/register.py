"""All tables of the contract by their names."""

from __future__ import annotations

from aiqleads_pipeline.contract.columns import Table
from aiqleads_pipeline.contract.enriched import ENRICHED_LEADS
from aiqleads_pipeline.contract.incoming import DUPLICATE_LEADS, RAW_LEADS, REJECTED_LEADS, VALIDATED_LEADS
from aiqleads_pipeline.contract.judged import CLASSIFIED_LEADS, SCORED_LEADS
from aiqleads_pipeline.contract.sent_on import DELIVERIES, REVIEW_QUEUE, ROUTED_LEADS

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        RAW_LEADS, REJECTED_LEADS, DUPLICATE_LEADS, VALIDATED_LEADS, ENRICHED_LEADS, SCORED_LEADS, CLASSIFIED_LEADS,
        ROUTED_LEADS, REVIEW_QUEUE, DELIVERIES,
    )
}  # fmt: skip
STORE_TABLES = ("review_queue", "deliveries")
