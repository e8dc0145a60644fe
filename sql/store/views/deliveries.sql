-- Deliveries and what each has come to. Grain: lead and destination. Key: delivery_id. By first_lead_id and last_lead_id,
-- between which the lead lies, a lead is found without looking at all.
SELECT
    i.delivery_id,
    i.lead_id,
    i.batch_id,
    i.destination,
    i.priority,
    CASE WHEN f.batch_id IS NULL THEN i.state ELSE 'delivered' END AS state,
    CASE WHEN f.batch_id IS NULL THEN i.attempts ELSE i.attempts + 1 END AS attempts,
    i.next_attempt_at,
    i.last_error_code,
    i.external_id,
    i.created_at,
    coalesce(f.delivered_at, i.delivered_at) AS delivered_at,
    i.first_lead_id,
    i.last_lead_id
FROM (
    SELECT
        delivery_id, lead_id, batch_id, destination, priority, state, attempts, next_attempt_at, last_error_code,
        external_id, created_at, delivered_at, lead_id AS first_lead_id, lead_id AS last_lead_id
    FROM aiqleads.outbox
    UNION ALL
    SELECT
        delivery_id, lead_id, batch_id, destination, priority, 'pending', 0, NULL, NULL,
        NULL, created_at, NULL, first_lead_id, last_lead_id
    FROM aiqleads.file_deliveries
) AS i
LEFT JOIN aiqleads.batch_files AS f
    ON f.batch_id = i.batch_id AND f.destination = i.destination
    AND i.state = 'pending' AND i.next_attempt_at IS NULL
