-- What providers answered about keys. Grain: provider and key. Inputs: provider, keys (SHA-256), known_since and
-- unknown_since (older answers don't count).
SELECT key_sha256, state, facts, confidence_share, cost_usd, answered_at
FROM aiqleads.provider_answers
WHERE provider = :provider
    AND key_sha256 = ANY(cast(:keys AS bytea[]))
    AND answered_at >= CASE state
        WHEN 'unknown' THEN cast(:unknown_since AS timestamptz) ELSE cast(:known_since AS timestamptz)
    END
