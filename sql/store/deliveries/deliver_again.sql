-- Deliveries that are to be made again: due at once, from their first attempt, under the same id. What is being sent
-- just now is left alone. Grain: those. Inputs: now; array delivery_ids (null: any), destination (null: any), since
-- and until (of the intent; null: any), array states.
UPDATE aiqleads.outbox
SET state = 'pending', attempts = 0, next_attempt_at = :now, delivered_at = NULL
WHERE (cast(:delivery_ids AS uuid[]) IS NULL OR delivery_id = ANY(cast(:delivery_ids AS uuid[])))
    AND (cast(:destination AS text) IS NULL OR destination = :destination)
    AND (cast(:since AS timestamptz) IS NULL OR created_at >= :since)
    AND (cast(:until AS timestamptz) IS NULL OR created_at < :until)
    AND state = ANY(cast(:states AS text[]))
    AND NOT (state = 'pending' AND next_attempt_at IS NULL)
RETURNING delivery_id
