-- The attempts of a delivery, in order. Grain: attempt. Inputs: delivery_id, row_limit.
SELECT
    attempt, outcome, error_code, status_code, detail, answer, sent_bytes_count, answer_bytes_count, seconds, started_at
FROM aiqleads.delivery_attempts
WHERE delivery_id = :delivery_id
ORDER BY started_at, attempt_id
LIMIT :row_limit
