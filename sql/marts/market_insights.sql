-- The market as leads show it: volume, quality, conversion, trend against the four weeks before, scarcity (the share of
-- all leads that such a lead is: the fewer, the scarcer).
-- grain: territory, industry, week. key: the same. inputs: story (closed_story.sql).
WITH
weekly AS (
    SELECT
        territory, industry_code, any_value(industry_name) AS industry_name,
        date_trunc('week', received_at)::DATE AS week_date,
        count(*) AS leads_count,
        round(avg(lead_score), 2) AS mean_lead_score,
        count(*) FILTER (priority IN ('P1', 'P2')) AS qualified_count,
        count(result) AS closed_count, count(*) FILTER (result = 'won') AS won_count,
        coalesce(sum(revenue_usd) FILTER (result = 'won'), 0) AS revenue_usd
    FROM story GROUP BY ALL
)
SELECT
    *,
    round(won_count / nullif(closed_count, 0), 4) AS conversion_share,
    round(leads_count / nullif(avg(leads_count) OVER (PARTITION BY territory, industry_code ORDER BY week_date
        RANGE BETWEEN INTERVAL 28 DAYS PRECEDING AND INTERVAL 1 DAY PRECEDING), 0), 2) AS volume_trend,
    round(1 - leads_count / sum(leads_count) OVER (PARTITION BY week_date), 4) AS scarcity_share
FROM weekly ORDER BY week_date DESC, leads_count DESC, territory, industry_code
