-- Calls to a destination failed in a row: past the threshold its breaker opens, each time twice as long.
-- Grain: the row. Inputs: destination, now, calls_count, threshold, open_seconds, most_open_seconds, was_probe.
UPDATE aiqleads.delivery_lanes AS l
SET
    failures_count = l.failures_count + :calls_count,
    failing_since = coalesce(l.failing_since, :now),
    open_until = CASE
        WHEN l.failures_count + :calls_count < :threshold THEN l.open_until
        WHEN l.open_until > :now AND NOT :was_probe THEN l.open_until
        ELSE cast(:now AS timestamptz)
            + make_interval(secs => least(:open_seconds * power(2, least(l.opened_count, 20)), :most_open_seconds))
    END,
    opened_count = l.opened_count + CASE
        WHEN l.failures_count + :calls_count < :threshold THEN 0
        WHEN l.open_until > :now AND NOT :was_probe THEN 0
        ELSE 1
    END
WHERE l.destination = :destination
RETURNING
    state, failures_count, opened_count, open_until, paused_until, tokens, tokens_at, claimed_count, failing_since,
    warnings_count, delivered_at, off_reason, off_at, destination
