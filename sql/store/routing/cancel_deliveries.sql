-- Intents of an earlier run that nobody has begun with and that are not meant any more; those of leads that a person
-- assigned stay. Inputs: routing_deliveries; batch_id.
UPDATE aiqleads.outbox AS d
SET state = 'cancelled', next_attempt_at = NULL
WHERE d.batch_id = :batch_id
    AND d.state = 'pending'
    AND NOT EXISTS (SELECT FROM routing_deliveries AS r WHERE r.delivery_id = d.delivery_id)
    AND NOT EXISTS (SELECT FROM aiqleads.review_queue AS q WHERE q.lead_id = d.lead_id AND q.resolved_at IS NOT NULL)
