-- A destination is back: what waits because it was away is due at once, in its order. Grain: those. Inputs: destination, now, array
-- error_codes.
UPDATE aiqleads.outbox
SET next_attempt_at = least(created_at, :now)
WHERE destination = :destination AND state = 'pending' AND next_attempt_at > :now
    AND last_error_code = ANY(cast(:error_codes AS text[]))
RETURNING delivery_id
