-- Keeps answers under idempotency keys whose lock the transaction holds; one that is there is older than it may be.
-- Key: client, key. Inputs: one array per column.
INSERT INTO aiqleads.idempotency_keys (client, key, request_sha256, status, headers, body, answered_at)
SELECT new.client, new.key, new.request_sha256, new.status, cast(new.headers AS jsonb), new.body, now()
FROM unnest(
    cast(:clients AS text[]), cast(:keys AS text[]), cast(:hashes AS bytea[]), cast(:statuses AS smallint[]),
    cast(:headers AS text[]), cast(:bodies AS bytea[])
) AS new (client, key, request_sha256, status, headers, body)
ON CONFLICT (client, key) DO UPDATE
SET request_sha256 = excluded.request_sha256, status = excluded.status, headers = excluded.headers,
    body = excluded.body, answered_at = excluded.answered_at
