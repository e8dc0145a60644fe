-- How all destinations stand, and what is in the outbox for them. Grain: destination.
SELECT
    coalesce(l.destination, o.destination) AS destination,
    coalesce(l.state, 'on') AS state,
    l.off_reason, l.off_at, coalesce(l.failures_count, 0) AS failures_count, l.open_until, l.paused_until,
    l.failing_since, l.delivered_at,
    coalesce(o.pending_count, 0) AS pending_count,
    coalesce(o.in_flight_count, 0) AS in_flight_count,
    coalesce(o.delivered_count, 0) AS delivered_count,
    coalesce(o.dead_count, 0) AS dead_count,
    o.oldest_due_at
FROM aiqleads.delivery_lanes AS l
FULL JOIN (
    SELECT
        destination,
        count(*) FILTER (WHERE state = 'pending') AS pending_count,
        count(*) FILTER (WHERE state = 'in_flight') AS in_flight_count,
        count(*) FILTER (WHERE state = 'delivered') AS delivered_count,
        count(*) FILTER (WHERE state = 'dead') AS dead_count,
        min(next_attempt_at) AS oldest_due_at
    FROM aiqleads.deliveries
    GROUP BY destination
) AS o ON o.destination = l.destination
ORDER BY 1
