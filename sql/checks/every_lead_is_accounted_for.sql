-- The law of conservation: raw = rejected + duplicate + routed + in review, by lead id. Must return no row.
-- grain: lead_id that is nowhere, in two places, or came from nowhere. inputs: raw_leads, rejected_leads,
-- duplicate_leads, routed_leads, in_review (lead_id).
WITH places AS (
    SELECT lead_id FROM (SELECT DISTINCT lead_id FROM rejected_leads)
    UNION ALL
    SELECT lead_id FROM duplicate_leads
    UNION ALL
    SELECT lead_id FROM routed_leads
    UNION ALL
    SELECT lead_id FROM in_review
)
SELECT lead_id, sum(received)::BIGINT AS received_count, sum(placed)::BIGINT AS places_count
FROM (
    SELECT lead_id, 1 AS received, 0 AS placed FROM raw_leads
    UNION ALL
    SELECT lead_id, 0 AS received, 1 AS placed FROM places
)
GROUP BY lead_id
HAVING sum(received) <> 1 OR sum(placed) <> 1
