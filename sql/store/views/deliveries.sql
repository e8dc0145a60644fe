-- Deliveries and what each has come to. Grain: lead and destination. Key: delivery_id.
SELECT
    o.delivery_id,
    o.lead_id,
    o.batch_id,
    o.destination,
    o.priority,
    CASE WHEN f.batch_id IS NULL THEN o.state ELSE 'delivered' END AS state,
    CASE WHEN f.batch_id IS NULL THEN o.attempts ELSE o.attempts + 1 END AS attempts,
    o.next_attempt_at,
    o.last_error_code,
    o.external_id,
    o.created_at,
    coalesce(f.delivered_at, o.delivered_at) AS delivered_at
FROM aiqleads.outbox AS o
LEFT JOIN aiqleads.batch_files AS f
    ON f.batch_id = o.batch_id AND f.destination = o.destination
    AND o.state = 'pending' AND o.next_attempt_at IS NULL
