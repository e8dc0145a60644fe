-- Notes when keys were last used. Inputs: key_ids, now.
UPDATE aiqleads.api_keys
SET last_used_at = :now
WHERE key_id = ANY(:key_ids) AND last_used_at IS DISTINCT FROM greatest(last_used_at, :now)
