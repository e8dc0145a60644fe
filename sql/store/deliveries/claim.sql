-- Takes due deliveries of a destination, the most urgent first, past those that others take at the same moment. They
-- are due again when their time runs out, should the taker die. Grain: delivery.
-- Inputs: destination, now, hold_until, row_limit.
WITH due AS (
    SELECT delivery_id
    FROM aiqleads.outbox
    WHERE destination = :destination AND next_attempt_at <= :now
    ORDER BY priority, next_attempt_at
    LIMIT :row_limit
    FOR UPDATE SKIP LOCKED
)
UPDATE aiqleads.outbox AS d
SET state = 'in_flight', attempts = d.attempts + 1, next_attempt_at = :hold_until
FROM due
WHERE d.delivery_id = due.delivery_id
RETURNING
    d.delivery_id, d.lead_id, d.batch_id, d.destination, d.priority, d.state, d.attempts, d.next_attempt_at,
    d.last_error_code, d.external_id, d.created_at, d.delivered_at
