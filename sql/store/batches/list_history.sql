-- A source's last batches that are done, youngest first. Grain: batch. Inputs: source, row_limit.
SELECT
    batch_id, source, channel, state, size_bytes, received_at, requested_by, requested_at, finished_at, attempts_count,
    reason_code, detail, counts, run_id, partition_retired_at
FROM aiqleads.batches
WHERE source = :source AND state = 'done'
ORDER BY received_at DESC, batch_id DESC
LIMIT :row_limit
