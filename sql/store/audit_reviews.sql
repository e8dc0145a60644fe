-- How long leads have waited for a person.
-- grain: lead in review. inputs: review_queue.
SELECT lead_id::text AS lead_id, reason_code, extract(epoch FROM now() - opened_at) / 86400 AS waiting_days
FROM aiqleads.review_queue
WHERE resolved_at IS NULL
ORDER BY opened_at
LIMIT 100000
