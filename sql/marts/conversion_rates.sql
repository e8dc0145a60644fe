-- How leads convert, what they bring and cost: by band of the score, source, owner, rule. Rates are shrunk to the mean of
-- all (it counts like 40 closed leads), so that three wins of three are no certainty.
-- grain: what, value. key: what, value. inputs: story (closed_story.sql).
WITH long AS (
    SELECT 'score_band' AS what, format('{:02d}-{:02d}', 10 * band, 10 * band + 9) AS value, result, revenue_usd, cost_usd
    FROM (SELECT *, least(floor(lead_score / 10), 9)::INTEGER AS band FROM story)
    UNION ALL SELECT 'source', source, result, revenue_usd, cost_usd FROM story
    UNION ALL SELECT 'owner', owner, result, revenue_usd, cost_usd FROM story WHERE owner IS NOT NULL
    UNION ALL SELECT 'rule', rule_id, result, revenue_usd, cost_usd FROM story WHERE rule_id IS NOT NULL
),
mean AS (
    SELECT count(*) FILTER (result = 'won') / greatest(count(result), 1) AS share FROM story
),
counted AS (
    SELECT
        what, value,
        count(*) AS leads_count, count(result) AS closed_count,
        count(*) FILTER (result = 'won') AS won_count,
        count(*) FILTER (result = 'returned') AS returned_count,
        coalesce(sum(revenue_usd) FILTER (result = 'won'), 0) AS revenue_usd,
        sum(cost_usd) AS cost_usd
    FROM long GROUP BY what, value
)
SELECT
    c.*,
    round((won_count + 40 * m.share) / (closed_count + 40), 4) AS conversion_share,
    round(revenue_usd / leads_count, 2) AS revenue_per_lead_usd,
    round(cost_usd / leads_count, 2) AS cost_per_lead_usd,
    round(cost_usd / nullif(won_count, 0), 2) AS cost_per_won_lead_usd,
    round((revenue_usd - cost_usd) / nullif(cost_usd, 0), 2) AS return_on_cost
FROM counted AS c, mean AS m
ORDER BY what, leads_count DESC, value
