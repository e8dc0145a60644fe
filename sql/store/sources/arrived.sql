-- How many rows each source sent over all batches that are done, and how many of them brought no lead.
-- Grain: source. Inputs: none.
SELECT
    source,
    sum(coalesce((counts ->> 'received')::bigint, 0))::bigint AS received_count,
    sum(coalesce((counts ->> 'rejected')::bigint, 0))::bigint AS rejected_count,
    sum(coalesce((counts ->> 'duplicates')::bigint, 0))::bigint AS duplicates_count
FROM aiqleads.batches
WHERE state = 'done' AND source <> 'outcomes'
GROUP BY source
ORDER BY source
