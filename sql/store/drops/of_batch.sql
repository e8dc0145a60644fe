-- The drops whose content a batch holds, in the order in which they were registered; repeats are none.
-- Grain: drop. Inputs: batch_id.
SELECT uri, version, source, channel, name, content_sha256, size_bytes, archive_uri, batch_id, is_repeat, first_seen_at
FROM aiqleads.drops
WHERE batch_id = :batch_id AND NOT is_repeat
ORDER BY drop_id
