-- The batch that the leads belong to, and another one if they don't belong to the same. grain: one row.
-- inputs: classified.
SELECT min(batch_id), max(batch_id)
FROM classified
