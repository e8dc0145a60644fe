-- Which destinations have something due, and how urgent. Grain: destination. Inputs: array destinations; now.
SELECT wanted.destination, min(found.priority) AS priority
FROM unnest(cast(:destinations AS text[])) AS wanted (destination)
CROSS JOIN unnest(ARRAY[1, 2, 3, 4]::smallint[]) AS rank (priority)
CROSS JOIN LATERAL (
    SELECT o.priority
    FROM aiqleads.outbox AS o
    WHERE o.destination = wanted.destination AND o.priority = rank.priority AND o.next_attempt_at <= :now
    LIMIT 1
) AS found
GROUP BY wanted.destination
