-- Keeps the first value pinned. Key: batch_id, step. Inputs: batch_id, step, value (JSON text).
INSERT INTO aiqleads.pins (batch_id, step, value, pinned_at)
VALUES (:batch_id, :step, cast(:value AS jsonb), clock_timestamp())
ON CONFLICT (batch_id, step) DO NOTHING
