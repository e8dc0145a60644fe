-- A destination is back: what waits because it was away is due at once, in its order. Grain: those. Locked in the order
-- of ids, as all writers of several rows do. Inputs: destination, now, array error_codes.
WITH chosen AS MATERIALIZED (
    SELECT delivery_id
    FROM aiqleads.outbox
    WHERE destination = :destination AND state = 'pending' AND next_attempt_at > :now
        AND last_error_code = ANY(cast(:error_codes AS text[]))
    ORDER BY delivery_id
    FOR UPDATE
)
UPDATE aiqleads.outbox AS d
SET next_attempt_at = least(d.created_at, :now)
FROM chosen
WHERE d.delivery_id = chosen.delivery_id
RETURNING d.delivery_id
