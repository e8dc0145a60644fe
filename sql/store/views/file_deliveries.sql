-- Intents that go out with their batch's file, one by one. Grain: lead and destination. Key: delivery_id.
-- The id is that of resources.store.deliveries.delivery_id. By first_lead_id and last_lead_id whole rows of leads are
-- passed over.
SELECT
    (left(l.lead_id::text, 20) || right(l.lead_id::text, 9) || left(md5(b.destination), 6))::uuid AS delivery_id,
    l.lead_id,
    b.batch_id,
    b.destination,
    b.priority,
    b.created_at,
    b.first_lead_id,
    b.last_lead_id
FROM aiqleads.batch_deliveries AS b
CROSS JOIN LATERAL unnest(b.lead_ids) AS l (lead_id)
