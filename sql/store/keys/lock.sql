-- One key, held until the transaction ends. Inputs: key_id.
SELECT
    key_id, client, role, scopes, networks, secret_sha256, created_at, expires_at, revoked_at, last_used_at, rotated_to
FROM aiqleads.api_keys
WHERE key_id = :key_id
FOR UPDATE
