-- How the latest calls of a provider went: those since it was last judged, at most so many. Grain: one row.
-- Inputs: provider, window_at, calls_count, slow_seconds.
SELECT
    count(*) AS calls_count,
    count(*) FILTER (WHERE outcome = 'failed') AS failed_count,
    count(*) FILTER (WHERE outcome = 'answered' AND seconds >= :slow_seconds) AS slow_count
FROM (
    SELECT outcome, seconds
    FROM aiqleads.provider_calls
    WHERE provider = :provider AND started_at >= coalesce(cast(:window_at AS timestamptz), '-infinity')
    ORDER BY started_at DESC
    LIMIT :calls_count
) AS latest
