-- A key that another takes over from: it ends with the overlap, or sooner if it would anyway.
-- Inputs: key_id, rotated_to, expires_at.
UPDATE aiqleads.api_keys
SET rotated_to = :rotated_to, expires_at = least(expires_at, :expires_at)
WHERE key_id = :key_id
