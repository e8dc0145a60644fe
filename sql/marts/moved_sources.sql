-- How far each source moved since it was learnt last, itself or the one of its segments that moved most.
-- grain: source. key: source. inputs: reliability_before, reliability_now (stages/score/reliability.sql). A score that was
-- not known before counts as usual, 50.
SELECT
    n.source,
    max(greatest(
        abs(coalesce(n.reliability_score, 50) - coalesce(b.reliability_score, 50)),
        abs(coalesce(n.historical_score, 50) - coalesce(b.historical_score, 50)))) AS moved_points
FROM reliability_now AS n
LEFT JOIN reliability_before AS b
    ON b.source = n.source AND b.segment_code IS NOT DISTINCT FROM n.segment_code
GROUP BY n.source
ORDER BY n.source
