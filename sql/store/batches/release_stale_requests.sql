-- Requests that nobody took up: older than they may be and without a live lease. They wait again.
-- Grain: batch. Inputs: older_than, lease_prefix.
UPDATE aiqleads.batches AS b
SET state = 'waiting', requested_by = NULL, requested_at = NULL
WHERE b.state = 'requested'
    AND b.requested_at < :older_than
    AND NOT EXISTS (
        SELECT FROM aiqleads.leases AS l
        WHERE l.name = cast(:lease_prefix AS text) || b.batch_id
            AND l.holder <> ''
            AND l.expires_at > clock_timestamp()
    )
RETURNING b.batch_id
