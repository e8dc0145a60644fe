-- How a provider stands, locked. Grain: provider. Inputs: provider.
SELECT *, clock_timestamp() AS now_at
FROM aiqleads.provider_states
WHERE provider = :provider
FOR UPDATE
