-- Facts that came later. Grain: lead and field. Inputs: lead_ids (null: all).
SELECT lead_id, field, value, provider, confidence_share, cost_usd, answered_at
FROM aiqleads.enrichment_additions
WHERE cast(:lead_ids AS uuid[]) IS NULL OR lead_id = ANY(cast(:lead_ids AS uuid[]))
