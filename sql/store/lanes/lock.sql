-- How a destination stands, locked: who holds the row decides alone who sends what. Grain: one row. Inputs: destination.
SELECT
    state, failures_count, opened_count, open_until, paused_until, tokens, tokens_at, claimed_count, failing_since,
    warnings_count, delivered_at, off_reason, off_at, destination
FROM aiqleads.delivery_lanes
WHERE destination = :destination
FOR UPDATE
