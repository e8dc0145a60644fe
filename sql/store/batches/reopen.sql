-- Batches that failed or were quarantined wait again; so do those whose run or request is gone (states: which).
-- Grain: batch that waits again. Inputs: batch_ids (array), states (array).
UPDATE aiqleads.batches
SET
    state = 'waiting',
    requested_by = NULL,
    requested_at = NULL,
    finished_at = NULL,
    reason_code = NULL,
    detail = NULL,
    partition_retired_at = NULL
WHERE batch_id = ANY(cast(:batch_ids AS text[])) AND state = ANY(cast(:states AS text[]))
RETURNING batch_id
