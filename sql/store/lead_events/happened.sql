-- What happened to single leads between two times, by type; routed leads stand in the lake.
-- Grain: happening. Key: type, lead_id, key. Inputs: since, until, types (array: those asked for; others cost nothing).
SELECT
    'lead.assigned' AS type, lead_id, to_char(resolved_at AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISSUS') AS key, resolved_at AS at,
    jsonb_build_object('team', team, 'owner', owner, 'reason_code', reason_code)::text AS data
FROM aiqleads.review_queue
WHERE 'lead.assigned' = ANY(cast(:types AS text[]))
    AND resolved_at > :since AND resolved_at <= :until AND owner IS NOT NULL
UNION ALL
SELECT
    CASE o.result WHEN 'won' THEN 'lead.converted' ELSE 'lead.closed' END,
    o.lead_id, concat_ws(':', o.result, to_char(o.closed_at AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISSUS')), o.closed_at,
    jsonb_build_object('result', o.result, 'is_bounced', o.is_bounced, 'revenue_usd', o.revenue_usd, 'owner', o.owner)::text
FROM aiqleads.outcomes AS o
INNER JOIN aiqleads.batches AS b ON b.batch_id = o.batch_id
WHERE cast(:types AS text[]) && ARRAY['lead.converted', 'lead.closed']
    AND b.state = 'done' AND b.finished_at > :since AND b.finished_at <= :until
UNION ALL
SELECT
    'lead.came_again', t.existing_lead_id, t.lead_id::text, t.touched_at,
    jsonb_build_object('batch_id', t.batch_id, 'kind', t.kind)::text
FROM aiqleads.touches AS t
LEFT JOIN aiqleads.batches AS b ON b.batch_id = t.batch_id
WHERE 'lead.came_again' = ANY(cast(:types AS text[]))
    AND greatest(t.touched_at, b.finished_at) > :since AND greatest(t.touched_at, b.finished_at) <= :until
UNION ALL
SELECT
    'lead.delivered', o.lead_id, o.delivery_id::text, o.delivered_at,
    jsonb_build_object('delivery_id', o.delivery_id, 'destination', o.destination, 'external_id', o.external_id)::text
FROM aiqleads.outbox AS o
WHERE 'lead.delivered' = ANY(cast(:types AS text[]))
    AND o.delivery_id IN (
        SELECT delivery_id FROM aiqleads.delivery_attempts
        WHERE started_at > cast(:since AS timestamptz) - interval '1 hour'  -- a call may have taken that long
    )
    AND o.state = 'delivered' AND o.delivered_at > :since AND o.delivered_at <= :until AND o.batch_id <> 'notices'
