-- Who asks for keys just now. Grain: key. Inputs: provider, keys.
SELECT key_sha256, holder, expires_at
FROM aiqleads.provider_claims
WHERE provider = :provider AND key_sha256 = ANY(cast(:keys AS bytea[]))
