-- Who may have a source of its own. Grain: client.
SELECT DISTINCT client FROM aiqleads.api_keys ORDER BY client
