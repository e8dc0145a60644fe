-- All keys, of one client or of every one (null), the newest last. Inputs: client.
SELECT
    key_id, client, role, scopes, networks, secret_sha256, created_at, expires_at, revoked_at, last_used_at, rotated_to
FROM aiqleads.api_keys
WHERE client = coalesce(cast(:client AS text), client)
ORDER BY created_at, key_id
