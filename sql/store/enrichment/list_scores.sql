-- The scoreboard of providers. Grain: provider and kind.
SELECT * FROM aiqleads.provider_scoreboard ORDER BY kind, provider
