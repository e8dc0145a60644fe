-- Batches that ended since a time and whose leads have no clock yet, or were routed again since. Grain: batch.
-- Inputs: since.
SELECT b.batch_id, b.finished_at
FROM aiqleads.batches AS b
LEFT JOIN aiqleads.sla_batches AS a ON a.batch_id = b.batch_id
WHERE b.state = 'done'
    AND b.finished_at >= :since
    AND (a.batch_id IS NULL OR a.finished_at < b.finished_at)
ORDER BY b.finished_at
LIMIT 100
