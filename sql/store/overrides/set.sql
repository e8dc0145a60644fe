-- What a person says of a lead, instead of what was said before. Key: lead_id. Inputs: its columns.
INSERT INTO aiqleads.score_overrides (lead_id, priority, reason, set_by, set_at, expires_at)
VALUES (:lead_id, :priority, :reason, :set_by, :set_at, :expires_at)
ON CONFLICT (lead_id) DO UPDATE
SET priority = excluded.priority, reason = excluded.reason, set_by = excluded.set_by, set_at = excluded.set_at,
    expires_at = excluded.expires_at
