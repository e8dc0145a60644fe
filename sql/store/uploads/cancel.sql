-- A file that nobody has begun, or whose reading failed, will not be run; the same bytes sent again let it wait again.
-- Once its leads claimed their identity it is too late: others were told that they repeat them.
-- Inputs: batch_id, reason_code, detail, now, lease_prefix.
UPDATE aiqleads.batches AS b
SET state = 'quarantined', reason_code = :reason_code, detail = :detail, finished_at = cast(:now AS timestamptz)
WHERE b.batch_id = :batch_id
    AND b.channel = 'upload'
    AND b.state IN ('waiting', 'failed')
    AND NOT EXISTS (
        SELECT FROM aiqleads.identity_answers AS a WHERE a.claimant = cast(:lease_prefix AS text) || b.batch_id
    )
RETURNING b.batch_id
