-- What providers said of leads, and what they could not say. Grain: lead and field found, or lead and kind that lacks.
-- Inputs: provider_wanted, provider_found (subject_id, field, value, provider, confidence_share, cost_usd, answered_at),
-- provider_gaps (subject_id, gap_code).
SELECT
    w.lead_id, w.kind, f.field, f.value, f.provider, f.confidence_share, f.cost_usd, f.answered_at,
    NULL::VARCHAR AS gap_code
FROM provider_wanted AS w
JOIN provider_found AS f USING (subject_id)
UNION ALL
SELECT w.lead_id, w.kind, NULL, NULL, NULL, NULL, NULL, NULL, g.gap_code
FROM provider_wanted AS w
JOIN provider_gaps AS g USING (subject_id)
