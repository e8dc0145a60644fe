-- What waits longest in each queue. Grain: queue and subject. Inputs: now.
SELECT 'intake' AS queue, source AS subject, min(received_at) AS since, count(*) AS waiting_count
FROM aiqleads.intake
WHERE batch_id IS NULL
GROUP BY source
UNION ALL
SELECT 'batches', channel, min(received_at), count(*)
FROM aiqleads.batches
WHERE state IN ('waiting', 'requested')
GROUP BY channel
UNION ALL
SELECT 'deliveries', o.destination, min(o.next_attempt_at), count(*)
FROM aiqleads.outbox AS o
LEFT JOIN aiqleads.delivery_lanes AS l ON l.destination = o.destination
WHERE o.next_attempt_at <= :now AND coalesce(l.state, 'on') = 'on'
GROUP BY o.destination
