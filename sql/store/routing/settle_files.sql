-- A batch that is routed again goes out again: what its files delivered is noted row by row. Inputs: batch_id.
WITH withdrawn AS (DELETE FROM aiqleads.batch_files WHERE batch_id = :batch_id RETURNING *)
UPDATE aiqleads.outbox AS o
SET state = 'delivered', attempts = o.attempts + 1, delivered_at = withdrawn.delivered_at
FROM withdrawn
WHERE o.batch_id = withdrawn.batch_id
    AND o.destination = withdrawn.destination
    AND o.state = 'pending'
    AND o.next_attempt_at IS NULL
