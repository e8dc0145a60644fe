-- A notice's intents of delivery, due at once. Key: delivery_id.
-- Inputs: notice_id, batch_id, priority, now; arrays delivery_ids, destinations.
INSERT INTO aiqleads.outbox (
    delivery_id, lead_id, batch_id, destination, priority, state, next_attempt_at, created_at
)
SELECT delivery_id, cast(:notice_id AS uuid), :batch_id, destination, :priority, 'pending', :now, :now
FROM unnest(cast(:delivery_ids AS uuid[]), cast(:destinations AS text[])) AS wanted (delivery_id, destination)
