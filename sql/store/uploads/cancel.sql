-- A batch that nobody has begun will not be run; the same bytes sent again let it wait again.
-- Inputs: batch_id, reason_code, detail, now.
UPDATE aiqleads.batches
SET state = 'quarantined', reason_code = :reason_code, detail = :detail, finished_at = cast(:now AS timestamptz)
WHERE batch_id = :batch_id AND state IN ('waiting', 'failed')
RETURNING batch_id
