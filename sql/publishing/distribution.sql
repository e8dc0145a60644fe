-- Leads by band of ten points, before and after. grain: band. inputs: compared.
SELECT
    band * 10 AS from_score,
    count(*) FILTER (least(floor(score_before / 10), 9) = band) AS before,
    count(*) FILTER (least(floor(score_after / 10), 9) = band) AS after
FROM range(10) AS t(band), compared
GROUP BY band ORDER BY band
