-- Intents that are new; cancelled ones are meant again. Key: delivery_id. Inputs: routing_deliveries.
INSERT INTO aiqleads.outbox AS d (
    delivery_id, lead_id, batch_id, destination, priority, state, next_attempt_at, created_at
)
SELECT delivery_id, lead_id, batch_id, destination, priority, state, next_attempt_at, created_at FROM routing_deliveries
ORDER BY delivery_id
ON CONFLICT (delivery_id) DO UPDATE
SET state = excluded.state, next_attempt_at = excluded.next_attempt_at, priority = excluded.priority
WHERE d.state = 'cancelled'
