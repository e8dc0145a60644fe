-- Facts that came later; the first stays. Grain: fact that was new. Inputs: arrays of one length; now.
INSERT INTO aiqleads.enrichment_additions (
    lead_id, field, value, provider, confidence_share, cost_usd, answered_at, added_at
)
SELECT
    fact.lead_id, fact.field, fact.value, fact.provider, fact.confidence_share, fact.cost_usd, fact.answered_at, :now
FROM
    unnest(
        cast(:lead_ids AS uuid[]), cast(:fields AS text[]), cast(:values AS text[]), cast(:providers AS text[]),
        cast(:confidences AS float8[]), cast(:costs AS float8[]), cast(:answered_ats AS timestamptz[])
    ) AS fact (lead_id, field, value, provider, confidence_share, cost_usd, answered_at)
ORDER BY fact.lead_id, fact.field
ON CONFLICT (lead_id, field) DO NOTHING
RETURNING 1
