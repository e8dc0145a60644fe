-- Leads of a batch that no person has decided on yet: what a repeated routing may decide.
-- grain: lead. key: lead_id. inputs: enriched_leads, settled (lead_id of resolved reviews).
FROM enriched_leads ANTI JOIN settled USING (lead_id)
