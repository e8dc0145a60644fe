-- Leads of the batch that waited in an earlier run and don't any more; what a person decided stays.
-- Inputs: routing_reviews; batch_id.
DELETE FROM aiqleads.review_queue AS q
WHERE q.batch_id = :batch_id
    AND q.resolved_at IS NULL
    AND NOT EXISTS (SELECT FROM routing_reviews AS r WHERE r.lead_id = q.lead_id)
