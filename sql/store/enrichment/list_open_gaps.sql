-- What leads still wait for. Grain: lead and kind. Inputs: lead_ids (null: all).
SELECT lead_id, kind, reason_code
FROM aiqleads.enrichment_gaps
WHERE closed_at IS NULL AND (cast(:lead_ids AS uuid[]) IS NULL OR lead_id = ANY(cast(:lead_ids AS uuid[])))
