-- Grain: the batch. Key: batch_id. Inputs: batch_id.
SELECT
    batch_id, source, channel, state, size_bytes, received_at, requested_by, requested_at, finished_at, attempts_count,
    reason_code, detail, counts, run_id, partition_retired_at
FROM aiqleads.batches
WHERE batch_id = :batch_id
