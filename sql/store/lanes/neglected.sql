-- Destinations that have something due for a while, could take it, and that nobody sends to. Grain: destination.
-- Inputs: array destinations; since, now.
SELECT wanted.destination
FROM unnest(cast(:destinations AS text[])) AS wanted (destination)
LEFT JOIN aiqleads.delivery_lanes AS l ON l.destination = wanted.destination
WHERE coalesce(l.state, 'on') = 'on'
    AND coalesce(l.open_until <= :now, true)
    AND coalesce(l.paused_until <= :now, true)
    AND EXISTS (
        SELECT FROM unnest(ARRAY[1, 2, 3, 4]::smallint[]) AS rank (priority)
        CROSS JOIN LATERAL (
            SELECT FROM aiqleads.outbox AS o
            WHERE o.destination = wanted.destination AND o.priority = rank.priority AND o.next_attempt_at <= :since
            LIMIT 1
        ) AS found
    )
    AND NOT EXISTS (
        SELECT FROM aiqleads.delivery_workers AS w
        WHERE w.destination = wanted.destination AND w.expires_at > :now
    )
ORDER BY 1
