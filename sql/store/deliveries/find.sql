-- One delivery. Grain: delivery. Inputs: delivery_id; lead_id (that of a delivery that goes out with a batch's file).
SELECT
    delivery_id, lead_id, batch_id, destination, priority, state, attempts, next_attempt_at, last_error_code,
    external_id, created_at, delivered_at
FROM aiqleads.deliveries
WHERE delivery_id = :delivery_id
    AND (first_lead_id = last_lead_id OR :lead_id BETWEEN first_lead_id AND last_lead_id)
