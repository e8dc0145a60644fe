-- Erases what is kept about keys, whoever answered. Grain: row that was erased. Inputs: keys.
WITH asked AS (
    DELETE FROM aiqleads.provider_claims WHERE key_sha256 = ANY(cast(:keys AS bytea[]))
)
DELETE FROM aiqleads.provider_answers WHERE key_sha256 = ANY(cast(:keys AS bytea[])) RETURNING 1
