-- The intents of delivery of the batch, for the length of the transaction. Key: delivery_id.
CREATE TEMP TABLE routing_deliveries (
    delivery_id uuid, lead_id uuid, batch_id text, destination text, priority smallint, state text,
    next_attempt_at timestamptz, created_at timestamptz
) ON COMMIT DROP
