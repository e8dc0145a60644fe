-- One delivery. Grain: delivery. Inputs: delivery_id.
SELECT
    delivery_id, lead_id, batch_id, destination, priority, state, attempts, next_attempt_at, last_error_code,
    external_id, created_at, delivered_at
FROM aiqleads.deliveries
WHERE delivery_id = :delivery_id
