-- What a claim took from a destination's budget; a probe keeps the breaker open for the others. Inputs: destination,
-- tokens, now, claimed_count, open_until (null: as it is).
UPDATE aiqleads.delivery_lanes
SET
    tokens = :tokens,
    tokens_at = :now,
    claimed_count = claimed_count + :claimed_count,
    open_until = coalesce(cast(:open_until AS timestamptz), open_until)
WHERE destination = :destination
