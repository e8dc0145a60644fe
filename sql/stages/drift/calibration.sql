-- What was foretold of the leads that were closed in the window, and what came true, by band of the probability.
-- grain: band of a tenth. key: band. inputs: foretold (conversion_prob, is_won: closed leads that a model scored).
SELECT
    least(floor(conversion_prob * 10), 9)::INTEGER AS band,
    count(*) AS leads_count,
    sum(conversion_prob) AS expected_count,
    sum(is_won::INTEGER)::DOUBLE AS won_count,
    sum(conversion_prob * (1 - conversion_prob)) AS variance
FROM foretold GROUP BY band ORDER BY band
