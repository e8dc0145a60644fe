-- A destination answered: its breaker closes. Written only where that changes something, or every few seconds: claims
-- wait for this row. Grain: the row, if it was written, with whether the breaker was open and how often people were warned. Inputs: destination, now,
-- threshold.
WITH before AS (
    SELECT destination, failures_count >= :threshold AS was_open, warnings_count
    FROM aiqleads.delivery_lanes
    WHERE destination = :destination
        AND (
            failures_count > 0 OR failing_since IS NOT NULL OR delivered_at IS NULL
            OR delivered_at < cast(:now AS timestamptz) - interval '5 seconds'
        )
    FOR UPDATE
)
UPDATE aiqleads.delivery_lanes AS l
SET
    failures_count = 0, opened_count = 0, open_until = NULL, failing_since = NULL, warnings_count = 0,
    delivered_at = :now
FROM before
WHERE l.destination = before.destination
RETURNING before.was_open, before.warnings_count
