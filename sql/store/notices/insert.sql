-- A notice, once per key. Grain: the notice, if it is new. Key: notice_id, dedup_key.
-- Inputs: notice_id, topic, body (JSON), dedup_key (null: always new), now.
INSERT INTO aiqleads.notices (notice_id, topic, body, dedup_key, created_at)
VALUES (:notice_id, :topic, cast(:body AS jsonb), :dedup_key, :now)
ON CONFLICT (dedup_key) DO NOTHING
RETURNING notice_id
