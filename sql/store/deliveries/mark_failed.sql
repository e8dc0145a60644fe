-- Attempts that failed: tried again at a time, or dead where there is none. Only who still holds the attempt may say so.
-- Inputs: arrays delivery_ids, attempts, error_codes, next_attempts_at (null: never).
UPDATE aiqleads.outbox AS d
SET
    state = CASE WHEN failed.next_attempt_at IS NULL THEN 'dead' ELSE 'pending' END,
    next_attempt_at = failed.next_attempt_at,
    last_error_code = failed.error_code
FROM unnest(
    cast(:delivery_ids AS uuid[]), cast(:attempts AS int[]), cast(:error_codes AS text[]),
    cast(:next_attempts_at AS timestamptz[])
) AS failed (delivery_id, attempts, error_code, next_attempt_at)
WHERE d.delivery_id = failed.delivery_id AND d.state = 'in_flight' AND d.attempts = failed.attempts
