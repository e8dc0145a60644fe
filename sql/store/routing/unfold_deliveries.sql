-- Intents that stand many in a row get one each, for what becomes of them may differ from here on. Inputs: batch_id.
INSERT INTO aiqleads.outbox (delivery_id, lead_id, batch_id, destination, priority, state, created_at)
SELECT delivery_id, lead_id, batch_id, destination, priority, 'pending', created_at
FROM aiqleads.file_deliveries
WHERE batch_id = :batch_id
ORDER BY delivery_id
