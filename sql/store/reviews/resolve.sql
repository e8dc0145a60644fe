-- A person decides for a lead that waits. Grain: the lead, if it still waited. Inputs: lead_id, team, owner,
-- resolved_by, now.
UPDATE aiqleads.review_queue
SET resolved_at = :now, resolved_by = :resolved_by, team = :team, owner = :owner
WHERE lead_id = :lead_id AND resolved_at IS NULL
RETURNING batch_id, suggestion, opened_at
