-- Deliveries, by lead. Grain: delivery. Inputs: lead_id, first_id, last_id (the range in which a lead's deliveries
-- lie), batch_id, state, destination (each null: any), row_limit.
SELECT
    delivery_id, lead_id, batch_id, destination, priority, state, attempts, next_attempt_at, last_error_code,
    external_id, created_at, delivered_at
FROM aiqleads.deliveries
WHERE (cast(:lead_id AS uuid) IS NULL OR lead_id = :lead_id AND :lead_id BETWEEN first_lead_id AND last_lead_id)
    AND delivery_id BETWEEN :first_id AND :last_id
    AND (cast(:batch_id AS text) IS NULL OR batch_id = :batch_id)
    AND (cast(:state AS text) IS NULL OR state = :state)
    AND (cast(:destination AS text) IS NULL OR destination = :destination)
ORDER BY delivery_id
LIMIT :row_limit
