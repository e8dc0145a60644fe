-- What became of the leads of each source, shrunk to the mean where there is little to go by.
-- grain: one row per source (segment_code null) and per source and segment with outcomes; key: source, segment_code
-- inputs: reliability_history (source, received_count, rejected_count),
--         reliability_outcomes (source, industry_code, employee_band, result: won, lost or returned)
-- variables: score_shrinkage, score_neutral (the rules)
WITH
valued AS (
    SELECT
        source,
        score_segment(industry_code, employee_band) AS segment_code,
        (result = 'won')::BIGINT AS won,
        CASE result WHEN 'won' THEN 1 WHEN 'returned' THEN getvariable('score_shrinkage').returned_value ELSE 0 END AS worth
    FROM reliability_outcomes
),
segments AS (
    SELECT source, segment_code, count(*) AS closed_count, sum(won) AS won_count FROM valued GROUP BY ALL
),
closed AS (
    SELECT source, count(*) AS closed_count, sum(won) AS won_count, sum(worth) AS worth FROM valued GROUP BY ALL
),
arrived AS (
    SELECT source, sum(received_count) AS leads_count, sum(received_count - rejected_count) AS accepted_count
    FROM reliability_history GROUP BY ALL
),
means AS (
    SELECT
        (SELECT sum(worth) / sum(closed_count) FROM closed) AS worth,
        (SELECT sum(won_count) / sum(closed_count) FROM closed) AS share,
        (SELECT sum(accepted_count) / sum(leads_count) FROM arrived WHERE leads_count > 0) AS acceptance
),
sources AS (
    SELECT
        source,
        coalesce(a.leads_count, c.closed_count) AS leads_count,
        coalesce(c.closed_count, 0) AS closed_count,
        coalesce(c.won_count, 0) AS won_count,
        score_against_mean((coalesce(c.worth, 0) + getvariable('score_shrinkage').source_leads * m.worth)
            / (coalesce(c.closed_count, 0) + getvariable('score_shrinkage').source_leads), m.worth) AS outcome_score,
        score_against_mean((coalesce(a.accepted_count, 0)
                + getvariable('score_shrinkage').acceptance_rows * m.acceptance)
            / (coalesce(a.leads_count, 0) + getvariable('score_shrinkage').acceptance_rows),
            m.acceptance) AS acceptance_score,
        (coalesce(c.won_count, 0) + getvariable('score_shrinkage').source_leads * m.share)
            / (coalesce(c.closed_count, 0) + getvariable('score_shrinkage').source_leads) AS shrunk_share,
        m.share AS mean_share
    FROM arrived AS a FULL JOIN closed AS c USING (source), means AS m
)
SELECT
    source, NULL::VARCHAR AS segment_code,
    score_kept((1 - getvariable('score_shrinkage').acceptance_weight)
            * coalesce(outcome_score, score_neutral('source_reliability'))
        + getvariable('score_shrinkage').acceptance_weight * coalesce(acceptance_score, score_neutral('source_reliability')))
        AS reliability_score,
    round(score_against_mean(shrunk_share, mean_share), 2) AS historical_score,
    leads_count::BIGINT AS leads_count, closed_count::BIGINT AS closed_count, won_count::BIGINT AS won_count
FROM sources
UNION ALL
SELECT
    g.source, g.segment_code,
    NULL::DOUBLE AS reliability_score,
    round(score_against_mean(
        (g.won_count + getvariable('score_shrinkage').segment_leads * s.shrunk_share)
            / (g.closed_count + getvariable('score_shrinkage').segment_leads), s.mean_share), 2) AS historical_score,
    g.closed_count::BIGINT AS leads_count, g.closed_count::BIGINT AS closed_count, g.won_count::BIGINT AS won_count
FROM segments AS g JOIN sources AS s USING (source)
ORDER BY source, segment_code NULLS FIRST
