-- Batches that are neither done nor quarantined, oldest first. Grain: batch.
-- Inputs: state, channel (null: any), row_limit.
SELECT
    batch_id, source, channel, state, size_bytes, received_at, requested_by, requested_at, finished_at, attempts_count,
    reason_code, detail, counts, run_id, partition_retired_at
FROM aiqleads.batches
WHERE state NOT IN ('done', 'quarantined')
    AND (cast(:state AS text) IS NULL OR state = :state)
    AND (cast(:channel AS text) IS NULL OR channel = :channel)
ORDER BY received_at, batch_id
LIMIT :row_limit
