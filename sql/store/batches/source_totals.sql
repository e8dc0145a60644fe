-- How many rows each source sent, and how many of them were rejected, over all batches that are done.
-- grain: source. inputs: batches.
SELECT
    source,
    sum(coalesce((counts ->> 'received')::bigint, 0))::bigint AS received_count,
    sum(coalesce((counts ->> 'rejected')::bigint, 0))::bigint AS rejected_count
FROM aiqleads.batches
WHERE state = 'done' AND source <> 'outcomes'
GROUP BY source
ORDER BY source
