-- The last call of a provider. Grain: one row. Inputs: provider.
SELECT outcome, error_code FROM aiqleads.provider_calls WHERE provider = :provider ORDER BY started_at DESC LIMIT 1
