-- Ended batches from before a time whose partition still stands, oldest first. Grain: batch.
-- Inputs: older_than, row_limit.
SELECT
    batch_id, source, channel, state, size_bytes, received_at, requested_by, requested_at, finished_at, attempts_count,
    reason_code, detail, counts, run_id, partition_retired_at
FROM aiqleads.batches
WHERE partition_retired_at IS NULL AND received_at < :older_than AND state IN ('done', 'failed', 'quarantined')
ORDER BY received_at, batch_id
LIMIT :row_limit
