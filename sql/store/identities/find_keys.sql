-- Rows of the identity index. Grain: one row of three arrays of the same length, null where nothing is found.
-- Inputs: keys (bigint[], in psycopg's form).
SELECT array_agg(key), array_agg(tag), array_agg(lead_id) FROM aiqleads.identity_keys WHERE key = ANY(%b)
