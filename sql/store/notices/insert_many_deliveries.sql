-- Intents of delivery of many notices, due at once. Key: delivery_id.
-- Inputs: batch_id, now; arrays delivery_ids, notice_ids, destinations, priorities.
INSERT INTO aiqleads.outbox (
    delivery_id, lead_id, batch_id, destination, priority, state, next_attempt_at, created_at
)
SELECT delivery_id, notice_id, :batch_id, destination, priority, 'pending', :now, :now
FROM unnest(
    cast(:delivery_ids AS uuid[]), cast(:notice_ids AS uuid[]), cast(:destinations AS text[]), cast(:priorities AS int[])
) AS wanted (delivery_id, notice_id, destination, priority)
