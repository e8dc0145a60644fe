-- A new key. Grain: the key. Inputs: key_id, client, role, scopes, networks (JSON), secret_sha256, expires_at, now.
INSERT INTO aiqleads.api_keys (key_id, client, role, scopes, networks, secret_sha256, created_at, expires_at)
VALUES (:key_id, :client, :role, cast(:scopes AS jsonb), cast(:networks AS jsonb), :secret_sha256, :now, :expires_at)
