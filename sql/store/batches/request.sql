-- Asks for the run of a waiting batch: exactly one caller gets the row back. Each request is an attempt.
-- Inputs: batch_id, requested_by, now (null: the database's clock).
UPDATE aiqleads.batches
SET
    state = 'requested',
    requested_by = :requested_by,
    requested_at = coalesce(cast(:now AS timestamptz), clock_timestamp()),
    attempts_count = attempts_count + 1
WHERE batch_id = :batch_id AND state = 'waiting'
RETURNING batch_id
