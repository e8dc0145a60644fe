-- What was said about leads since they came, in order. Grain: update. Key: update_id.
-- Inputs: lead_ids (array; null: all leads).
SELECT update_id, lead_id, client, source, received_at, content
FROM aiqleads.lead_updates
WHERE cast(:lead_ids AS uuid[]) IS NULL OR lead_id = ANY(cast(:lead_ids AS uuid[]))
ORDER BY update_id
