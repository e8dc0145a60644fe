"""All assets, in the order of the flow."""

from __future__ import annotations

from aiqleads_pipeline.assets.audit import audit
from aiqleads_pipeline.assets.classified_leads import classified_leads
from aiqleads_pipeline.assets.crm_read_back import crm_read_back
from aiqleads_pipeline.assets.enriched_leads import enriched_leads
from aiqleads_pipeline.assets.insights import insights
from aiqleads_pipeline.assets.kind_enrichment import KIND_ENRICHMENTS
from aiqleads_pipeline.assets.learnt_tables import conversion_model, source_reliability
from aiqleads_pipeline.assets.open_lead_scores import open_lead_scores
from aiqleads_pipeline.assets.outcomes import outcomes
from aiqleads_pipeline.assets.raw_leads import raw_leads
from aiqleads_pipeline.assets.routed_leads import routed_leads
from aiqleads_pipeline.assets.score_drift import score_drift
from aiqleads_pipeline.assets.scored_leads import scored_leads
from aiqleads_pipeline.assets.scraped_pages import scraped_pages
from aiqleads_pipeline.assets.validated_leads import validated_leads

ASSETS = (
    raw_leads, validated_leads, enriched_leads, scored_leads, classified_leads, routed_leads,
    outcomes, source_reliability, conversion_model, open_lead_scores, audit, scraped_pages,
    score_drift, insights, crm_read_back, *KIND_ENRICHMENTS,
)  # fmt: skip
