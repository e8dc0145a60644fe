-- Leads that were routed and not closed yet.
-- grain: lead. key: lead_id. inputs: enriched_leads (all batches), routed_leads (all batches), outcomes (lead_id).
SELECT e.*
FROM enriched_leads AS e
SEMI JOIN routed_leads AS r USING (lead_id)
ANTI JOIN outcomes AS o USING (lead_id)
