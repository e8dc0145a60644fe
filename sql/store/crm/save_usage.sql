-- What an account's day came to, one row a minute. Key: destination, observed_at.
-- Inputs: destination, now, used_count, limit_count.
INSERT INTO aiqleads.crm_usage AS u (destination, observed_at, used_count, limit_count)
VALUES (:destination, date_trunc('minute', cast(:now AS timestamptz)), :used_count, :limit_count)
ON CONFLICT (destination, observed_at) DO UPDATE
SET used_count = greatest(u.used_count, excluded.used_count), limit_count = excluded.limit_count
