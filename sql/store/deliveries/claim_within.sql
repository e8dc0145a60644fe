-- Takes due deliveries of a destination: the most urgent first, but some by age, so that nothing starves; past those
-- that others write just now. They are due again when their time runs out, should the taker die. Grain: delivery.
-- Inputs: destination, now, hold_until, row_limit, aged_limit (how many of them by age), array priorities.
WITH candidates AS MATERIALIZED (
    SELECT found.delivery_id, found.priority, found.next_attempt_at
    FROM unnest(cast(:priorities AS smallint[])) AS wanted (priority)
    CROSS JOIN LATERAL (
        SELECT o.delivery_id, o.priority, o.next_attempt_at
        FROM aiqleads.outbox AS o
        WHERE o.destination = :destination AND o.priority = wanted.priority AND o.next_attempt_at <= :now
        ORDER BY o.next_attempt_at
        LIMIT :row_limit
    ) AS found
),
ranked AS (
    SELECT
        delivery_id,
        row_number() OVER (ORDER BY next_attempt_at, priority, delivery_id) AS age_rank,
        row_number() OVER (ORDER BY priority, next_attempt_at, delivery_id) AS urgency_rank
    FROM candidates
),
chosen AS (
    SELECT delivery_id
    FROM ranked
    ORDER BY CASE WHEN age_rank <= :aged_limit THEN 0 ELSE urgency_rank END
    LIMIT :row_limit
),
locked AS MATERIALIZED (
    SELECT o.delivery_id
    FROM aiqleads.outbox AS o
    JOIN chosen ON chosen.delivery_id = o.delivery_id
    WHERE o.next_attempt_at <= :now
    FOR UPDATE OF o SKIP LOCKED
)
UPDATE aiqleads.outbox AS d
SET state = 'in_flight', attempts = d.attempts + 1, next_attempt_at = :hold_until
FROM locked
WHERE d.delivery_id = locked.delivery_id
RETURNING
    d.delivery_id, d.lead_id, d.batch_id, d.destination, d.priority, d.state, d.attempts, d.next_attempt_at,
    d.last_error_code, d.external_id, d.created_at, d.delivered_at
