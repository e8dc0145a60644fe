-- What persons said of leads and that still holds. Grain: lead. Inputs: now; lead_ids (array; null: all leads).
SELECT lead_id, priority, reason, set_by, set_at, expires_at FROM aiqleads.score_overrides
WHERE expires_at > :now AND (cast(:lead_ids AS uuid[]) IS NULL OR lead_id = ANY(cast(:lead_ids AS uuid[])))
ORDER BY set_at, lead_id
