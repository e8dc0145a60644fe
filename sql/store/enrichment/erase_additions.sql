-- Erases what came later about leads, and what they wait for. Grain: addition that was erased. Inputs: lead_ids.
WITH waiting AS (
    DELETE FROM aiqleads.enrichment_gaps WHERE lead_id = ANY(cast(:lead_ids AS uuid[]))
)
DELETE FROM aiqleads.enrichment_additions WHERE lead_id = ANY(cast(:lead_ids AS uuid[])) RETURNING 1
