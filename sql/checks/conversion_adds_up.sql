-- Bands of the score and sources each hold every accepted lead, owners and rules every routed one, with all that was won.
-- grain: way of counting that breaks it. inputs: mart (conversion_rates.sql), story (closed_story.sql).
WITH
told AS (SELECT what, sum(leads_count) AS leads_count, sum(won_count) AS won_count FROM mart GROUP BY what),
wanted AS (
    SELECT unnest(['score_band', 'source']) AS what, count(*) AS leads_count, count(*) FILTER (result = 'won') AS won_count
    FROM story
    UNION ALL
    SELECT unnest(['owner', 'rule']), count(*), count(*) FILTER (result = 'won') FROM story WHERE owner IS NOT NULL
)
SELECT w.what
FROM wanted AS w LEFT JOIN told AS t USING (what)
WHERE coalesce(t.leads_count, 0) <> w.leads_count OR coalesce(t.won_count, 0) <> w.won_count
