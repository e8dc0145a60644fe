-- All leads of a batch that wait or waited for a person. Grain: lead. Inputs: batch_id.
SELECT lead_id, reason_code, resolved_at, team, owner
FROM aiqleads.review_queue
WHERE batch_id = :batch_id
ORDER BY lead_id
