-- A run begins (whatever came before: the lease says that it may). A run without a request is an attempt of its own.
-- Inputs: batch_id, run_id.
UPDATE aiqleads.batches
SET
    state = 'running',
    run_id = :run_id,
    attempts_count = attempts_count + CASE WHEN state = 'requested' THEN 0 ELSE 1 END,
    finished_at = NULL,
    reason_code = NULL,
    detail = NULL
WHERE batch_id = :batch_id
RETURNING batch_id
