-- What each enrichment provider is worth: which of its facts were valid, what became of the leads that hold one, and what a
-- qualified one costs (above P3). Shares are shrunk to the mean of all (which counts like 100 facts, or 40 closed leads).
-- grain: provider. key: provider. inputs: story (closed_story.sql), provider_leads (provider_leads.sql), spent (provider,
-- calls_count, failed_calls_count, facts_count, refused_facts_count, cost_usd).
WITH
ended AS (
    SELECT
        p.provider,
        count(*) AS leads_count, sum(p.facts_count)::BIGINT AS facts_used_count,
        count(*) FILTER (s.priority IN ('P1', 'P2')) AS qualified_count,
        count(s.result) AS closed_count,
        count(*) FILTER (s.result = 'won') AS won_count,
        count(*) FILTER (s.result = 'returned') AS returned_count,
        count(*) FILTER (s.is_bounced) AS bounced_count,
        coalesce(sum(s.revenue_usd) FILTER (s.result = 'won'), 0) AS revenue_usd
    FROM provider_leads AS p INNER JOIN story AS s USING (lead_id)
    GROUP BY p.provider
),
counted AS (
    SELECT
        c.provider, c.calls_count, c.failed_calls_count, c.facts_count, c.refused_facts_count,
        coalesce(e.facts_used_count, 0) AS facts_used_count,
        coalesce(e.leads_count, 0) AS leads_count, coalesce(e.qualified_count, 0) AS qualified_count,
        coalesce(e.closed_count, 0) AS closed_count, coalesce(e.won_count, 0) AS won_count,
        coalesce(e.returned_count, 0) AS returned_count, coalesce(e.bounced_count, 0) AS bounced_count,
        coalesce(e.revenue_usd, 0) AS revenue_usd, c.cost_usd
    FROM spent AS c LEFT JOIN ended AS e USING (provider)
),
facts AS (
    SELECT sum(refused_facts_count) / greatest(sum(facts_count + refused_facts_count), 1) AS refused FROM counted
),
mean AS (
    SELECT
        count(*) FILTER (result = 'won') / greatest(count(result), 1) AS won,
        count(*) FILTER (result = 'returned') / greatest(count(result), 1) AS returned,
        count(*) FILTER (is_bounced) / greatest(count(*), 1) AS bounced
    FROM story
)
SELECT
    c.*,
    round(1 - (refused_facts_count + 100 * coalesce(f.refused, 0)) / (facts_count + refused_facts_count + 100), 4) AS valid_share,
    round((bounced_count + 40 * m.bounced) / (leads_count + 40), 4) AS bounced_share,
    round((returned_count + 40 * m.returned) / (closed_count + 40), 4) AS returned_share,
    round((won_count + 40 * m.won) / (closed_count + 40), 4) AS won_share,
    round(cost_usd / nullif(leads_count, 0), 4) AS cost_per_lead_usd,
    round(cost_usd / nullif(qualified_count, 0), 4) AS cost_per_qualified_lead_usd
FROM counted AS c, mean AS m, facts AS f
ORDER BY cost_usd DESC, provider
