-- Leads that ended in a CRM since it was last asked, in the shape of an outcomes file.
-- grain: lead. key: lead_id. inputs: read_back (lead_id, result, closed_at, revenue_usd, owner_now, is_new_ending).
SELECT
    lead_id,
    result AS outcome,
    strftime(closed_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ') AS closed_at,
    CASE WHEN revenue_usd IS NOT NULL THEN printf('%.2f', revenue_usd) END AS revenue_usd,
    owner_now AS owner
FROM read_back
WHERE is_new_ending
ORDER BY lead_id
