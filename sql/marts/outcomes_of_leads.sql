-- The outcome of each lead that a file speaks of, and who had the lead; of several lines the last closed counts.
-- grain: lead. key: lead_id. inputs: outcomes (accepted), keys (row_number, key), found (key, lead_id),
-- routed (lead_id, owner).
WITH referred AS (
    SELECT row_number, try_cast(reference_value AS UUID) AS lead_id FROM outcomes WHERE reference_kind = 'lead_id'
    UNION ALL
    SELECT k.row_number, f.lead_id FROM keys AS k INNER JOIN found AS f ON f.key = k.key
)
SELECT
    r.lead_id,
    arg_max(o.result, (o.closed_at, o.row_number)) AS result,
    arg_max(o.is_bounced, (o.closed_at, o.row_number)) AS is_bounced,
    max(o.closed_at) AS closed_at,
    arg_max(o.revenue_usd, (o.closed_at, o.row_number)) AS revenue_usd,
    any_value(w.owner) AS owner
FROM referred AS r
INNER JOIN outcomes AS o USING (row_number)
LEFT JOIN routed AS w ON w.lead_id = r.lead_id
WHERE r.lead_id IS NOT NULL
GROUP BY r.lead_id
