-- Deliveries that were claimed but not tried: as if they had not been, due at a time. Only who holds them may say so.
-- Inputs: arrays delivery_ids, attempts, error_codes (null: keeps its last), next_attempts_at.
UPDATE aiqleads.outbox AS d
SET
    state = 'pending',
    attempts = d.attempts - 1,
    next_attempt_at = released.next_attempt_at,
    last_error_code = coalesce(released.error_code, d.last_error_code)
FROM unnest(
    cast(:delivery_ids AS uuid[]), cast(:attempts AS int[]), cast(:error_codes AS text[]),
    cast(:next_attempts_at AS timestamptz[])
) AS released (delivery_id, attempts, error_code, next_attempt_at)
WHERE d.delivery_id = released.delivery_id AND d.state = 'in_flight' AND d.attempts = released.attempts
