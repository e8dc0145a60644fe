-- The last word on each lead counts, by closed_at. Key: lead_id. Inputs: new_outcomes; batch_id.
INSERT INTO aiqleads.outcomes AS o (lead_id, result, closed_at, revenue_usd, batch_id, owner, is_bounced)
SELECT DISTINCT ON (n.lead_id)
    n.lead_id, n.result, n.closed_at, n.revenue_usd, :batch_id, max(n.owner) OVER (PARTITION BY n.lead_id),
    n.is_bounced
FROM new_outcomes AS n
ORDER BY n.lead_id, n.closed_at DESC, n.result, n.revenue_usd DESC NULLS LAST
ON CONFLICT (lead_id) DO UPDATE
SET
    result = CASE WHEN excluded.closed_at >= o.closed_at THEN excluded.result ELSE o.result END,
    revenue_usd = CASE WHEN excluded.closed_at >= o.closed_at THEN excluded.revenue_usd ELSE o.revenue_usd END,
    batch_id = CASE WHEN excluded.closed_at >= o.closed_at THEN excluded.batch_id ELSE o.batch_id END,
    is_bounced = CASE WHEN excluded.closed_at >= o.closed_at THEN excluded.is_bounced ELSE o.is_bounced END,
    closed_at = greatest(excluded.closed_at, o.closed_at),
    owner = coalesce(o.owner, excluded.owner)
