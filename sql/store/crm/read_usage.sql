-- The account's day as it was last seen, and how fast it was used up over the last hours. Grain: at most one row.
-- Inputs: destination, since (older ones say nothing of today), slope_since.
SELECT
    (array_agg(used_count ORDER BY observed_at DESC))[1] AS used_count,
    (array_agg(limit_count ORDER BY observed_at DESC))[1] AS limit_count,
    max(observed_at) AS observed_at,
    regr_slope(used_count, extract(EPOCH FROM observed_at)) FILTER (WHERE observed_at >= :slope_since) AS used_per_s
FROM aiqleads.crm_usage
WHERE destination = :destination AND observed_at >= :since
HAVING count(*) > 0
