-- Counts calls that were wanted and not let through. Inputs: provider, wanted_count.
UPDATE aiqleads.provider_states
SET wanted_count = wanted_count + :wanted_count
WHERE provider = :provider AND breaker <> 'closed'
