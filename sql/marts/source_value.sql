-- What each source's rows are worth: valid, repeated, bounced, returned, won, and what a qualified lead costs (above P3,
-- which is what sales would have bought). Shares are shrunk to the mean of all sources (which counts like 100 rows).
-- `reliability_score` and `historical_score` are what the next scores take from it (stages/score/reliability.sql).
-- grain: source. key: source. inputs: story (closed_story.sql), arrived (source, received_count, rejected_count,
-- duplicates_count), costs (source, cost_per_lead_usd), reliability (source, segment_code, reliability_score,
-- historical_score).
WITH
ended AS (
    SELECT
        source,
        count(*) AS accepted_count,
        count(*) FILTER (priority IN ('P1', 'P2')) AS qualified_count,
        count(result) AS closed_count,
        count(*) FILTER (result = 'won') AS won_count,
        count(*) FILTER (result = 'returned') AS returned_count,
        count(*) FILTER (is_bounced) AS bounced_count,
        coalesce(sum(revenue_usd) FILTER (result = 'won'), 0) AS revenue_usd
    FROM story GROUP BY source
),
counted AS (
    SELECT
        a.source, a.received_count, a.rejected_count, a.duplicates_count,
        coalesce(e.accepted_count, 0) AS accepted_count,
        coalesce(e.qualified_count, 0) AS qualified_count, coalesce(e.closed_count, 0) AS closed_count,
        coalesce(e.won_count, 0) AS won_count, coalesce(e.returned_count, 0) AS returned_count,
        coalesce(e.bounced_count, 0) AS bounced_count,
        coalesce(e.revenue_usd, 0) AS revenue_usd,
        a.received_count * coalesce(p.cost_per_lead_usd, 0) AS cost_usd
    FROM arrived AS a
    LEFT JOIN ended AS e USING (source)
    LEFT JOIN costs AS p USING (source)
),
mean AS (
    SELECT
        sum(rejected_count) / greatest(sum(received_count), 1) AS rejected,
        sum(duplicates_count) / greatest(sum(received_count), 1) AS repeated,
        sum(bounced_count) / greatest(sum(accepted_count), 1) AS bounced,
        sum(returned_count) / greatest(sum(closed_count), 1) AS returned,
        sum(won_count) / greatest(sum(closed_count), 1) AS won
    FROM counted
)
SELECT
    c.*,
    round(1 - (rejected_count + 100 * m.rejected) / (received_count + 100), 4) AS valid_share,
    round((duplicates_count + 100 * m.repeated) / (received_count + 100), 4) AS duplicate_share,
    round((bounced_count + 100 * m.bounced) / (accepted_count + 100), 4) AS bounced_share,
    round((returned_count + 100 * m.returned) / (closed_count + 100), 4) AS returned_share,
    round((won_count + 100 * m.won) / (closed_count + 100), 4) AS won_share,
    round(cost_usd / nullif(qualified_count, 0), 2) AS cost_per_qualified_lead_usd,
    round((revenue_usd - cost_usd) / nullif(cost_usd, 0), 2) AS return_on_cost,
    r.reliability_score, r.historical_score
FROM counted AS c
CROSS JOIN mean AS m
LEFT JOIN (
    SELECT source, reliability_score, historical_score FROM reliability WHERE segment_code IS NULL
) AS r USING (source)
ORDER BY revenue_usd - cost_usd DESC, source
