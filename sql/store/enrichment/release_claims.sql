-- Gives claims back. Inputs: provider, keys, holder.
DELETE FROM aiqleads.provider_claims
WHERE provider = :provider AND holder = :holder AND key_sha256 = ANY(cast(:keys AS bytea[]))
