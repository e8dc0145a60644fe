-- Attempts that are too old for the log, some at a time. Grain: those removed. Inputs: before, row_limit.
DELETE FROM aiqleads.delivery_attempts
WHERE attempt_id IN (
    SELECT attempt_id FROM aiqleads.delivery_attempts WHERE started_at < :before ORDER BY attempt_id LIMIT :row_limit
)
RETURNING attempt_id
