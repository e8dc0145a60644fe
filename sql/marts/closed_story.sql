-- Accepted leads with what became of them: the base of all insights.
-- grain: accepted lead. key: lead_id. inputs: enriched_leads, scored_leads, classified_leads, routed_leads (all batches),
-- outcomes (lead_id, result, closed_at, revenue_usd, is_bounced), costs (source, cost_per_lead_usd).
SELECT
    e.lead_id, e.source, e.received_at, e.employee_band, e.job_seniority, e.company_name,
    s.lead_score, s.conversion_prob,
    c.industry_code, c.industry_name, c.size_segment, c.priority, c.territory,
    r.team, r.owner, r.rule_id,
    o.result, o.closed_at, o.revenue_usd,
    -- Nobody could be reached: an outcome says so, or a provider that tried the address.
    coalesce(o.is_bounced, false) OR coalesce(e.email_status = 'invalid', false) AS is_bounced,
    coalesce(p.cost_per_lead_usd, 0) AS cost_usd
FROM enriched_leads AS e
INNER JOIN scored_leads AS s USING (lead_id)
INNER JOIN classified_leads AS c USING (lead_id)
LEFT JOIN routed_leads AS r USING (lead_id)
LEFT JOIN outcomes AS o USING (lead_id)
LEFT JOIN costs AS p ON p.source = e.source
