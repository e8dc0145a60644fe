-- What became of the batches of the last 90 days, by the ledger and by the store's own rows.
-- grain: batch. inputs: batches, review_queue, deliveries.
SELECT
    b.batch_id,
    b.source,
    b.state,
    extract(epoch FROM now() - b.received_at) / 3600 AS age_hours,
    coalesce((b.counts ->> 'received')::bigint, 0)
        - coalesce((b.counts ->> 'rejected')::bigint, 0)
        - coalesce((b.counts ->> 'duplicates')::bigint, 0)
        - coalesce((b.counts ->> 'routed')::bigint, 0)
        - coalesce((b.counts ->> 'in_review')::bigint, 0) AS astray_count,
    coalesce((b.counts ->> 'in_review')::bigint, 0)
        - (SELECT count(*) FROM aiqleads.review_queue AS q WHERE q.batch_id = b.batch_id) AS review_gap_count
FROM aiqleads.batches AS b
WHERE b.received_at > now() - interval '90 days' AND b.source <> 'outcomes'
ORDER BY b.batch_id
