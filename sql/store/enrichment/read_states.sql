-- How providers stand. Grain: provider.
SELECT * FROM aiqleads.provider_states ORDER BY provider
