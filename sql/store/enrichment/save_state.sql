-- Saves how a provider stands; its row is locked. Inputs: all columns.
UPDATE aiqleads.provider_states
SET
    breaker = :breaker, opens_count = :opens_count, open_until = :open_until, probe_until = :probe_until,
    window_at = :window_at, next_call_at = :next_call_at, wanted_count = :wanted_count,
    let_through_count = :let_through_count, last_error_code = :last_error_code
WHERE provider = :provider
