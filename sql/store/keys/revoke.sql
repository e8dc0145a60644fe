-- Ends a key for good; the first time counts. Inputs: key_id, now.
UPDATE aiqleads.api_keys
SET revoked_at = coalesce(revoked_at, :now)
WHERE key_id = :key_id
RETURNING key_id
