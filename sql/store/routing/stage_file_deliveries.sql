-- Those of the batch's intents that go out with its file, beside the others. Inputs: routing_deliveries; batch_id.
INSERT INTO routing_deliveries (delivery_id, lead_id, batch_id, destination, priority, state, created_at)
SELECT delivery_id, lead_id, batch_id, destination, priority, 'pending', created_at
FROM aiqleads.file_deliveries
WHERE batch_id = :batch_id
