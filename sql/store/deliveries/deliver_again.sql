-- Deliveries that are to be made again: due at once, from their first attempt, under the same id. What is being sent
-- just now is left alone. Grain: those; locked in the order of ids, as all writers of several rows do. Inputs: now; array
-- delivery_ids (null: any), destination (null: any), since and until (of the intent; null: any), array states.
WITH chosen AS MATERIALIZED (
    SELECT delivery_id
    FROM aiqleads.outbox
    WHERE (cast(:delivery_ids AS uuid[]) IS NULL OR delivery_id = ANY(cast(:delivery_ids AS uuid[])))
        AND (cast(:destination AS text) IS NULL OR destination = :destination)
        AND (cast(:since AS timestamptz) IS NULL OR created_at >= :since)
        AND (cast(:until AS timestamptz) IS NULL OR created_at < :until)
        AND state = ANY(cast(:states AS text[]))
        AND NOT (state = 'pending' AND next_attempt_at IS NULL)
    ORDER BY delivery_id
    FOR UPDATE
)
UPDATE aiqleads.outbox AS d
SET state = 'pending', attempts = 0, next_attempt_at = :now, delivered_at = NULL
FROM chosen
WHERE d.delivery_id = chosen.delivery_id
RETURNING d.delivery_id
