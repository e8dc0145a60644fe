-- Notices, each once per key. Grain: notice that is new. Key: notice_id, dedup_key.
-- Inputs: arrays notice_ids, topics, bodies (JSON), dedup_keys; now.
INSERT INTO aiqleads.notices (notice_id, topic, body, dedup_key, created_at)
SELECT notice_id, topic, body, dedup_key, :now
FROM unnest(
    cast(:notice_ids AS uuid[]), cast(:topics AS text[]), cast(:bodies AS jsonb[]), cast(:dedup_keys AS text[])
) AS wanted (notice_id, topic, body, dedup_key)
ON CONFLICT (dedup_key) DO NOTHING
RETURNING notice_id
