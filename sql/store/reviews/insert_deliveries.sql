-- The intents of delivery of a lead given by hand, each due on its own. Key: delivery_id.
-- Inputs: lead_id, batch_id, priority, now; arrays delivery_ids, destinations.
INSERT INTO aiqleads.outbox AS d (
    delivery_id, lead_id, batch_id, destination, priority, state, next_attempt_at, created_at
)
SELECT delivery_id, cast(:lead_id AS uuid), :batch_id, destination, :priority, 'pending', :now, :now
FROM unnest(cast(:delivery_ids AS uuid[]), cast(:destinations AS text[])) AS wanted (delivery_id, destination)
ON CONFLICT (delivery_id) DO UPDATE SET state = 'pending', next_attempt_at = excluded.next_attempt_at
WHERE d.state = 'cancelled'
