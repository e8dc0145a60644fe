-- Leads that wait for a person, the longest waiting first. Grain: lead. Inputs: row_limit.
SELECT lead_id, batch_id, reason_code, suggestion, opened_at
FROM aiqleads.review_queue
WHERE resolved_at IS NULL
ORDER BY opened_at, lead_id
LIMIT :row_limit
