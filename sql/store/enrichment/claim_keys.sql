-- Claims keys that nobody asks for just now. Grain: key that was claimed. Inputs: provider, keys, holder, seconds.
INSERT INTO aiqleads.provider_claims AS held (provider, key_sha256, holder, expires_at)
SELECT :provider, wanted.key_sha256, :holder, clock_timestamp() + make_interval(secs => :seconds)
FROM unnest(cast(:keys AS bytea[])) AS wanted (key_sha256)
ORDER BY wanted.key_sha256
ON CONFLICT (provider, key_sha256) DO UPDATE
SET holder = excluded.holder, expires_at = excluded.expires_at
WHERE held.expires_at <= clock_timestamp()
RETURNING key_sha256
