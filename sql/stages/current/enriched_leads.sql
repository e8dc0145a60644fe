-- Enriched leads, those that changed since as they are now. Grain: accepted lead. Key: lead_id.
-- Inputs: enriched_before (enriched_leads of all batches), enriched_now (the changed ones).
SELECT * FROM enriched_before
ANTI JOIN enriched_now USING (lead_id)
UNION ALL BY NAME
SELECT n.* FROM enriched_now AS n
SEMI JOIN enriched_before USING (lead_id)
