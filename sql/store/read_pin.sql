-- Grain: the pinned value. Key: batch_id, step. Inputs: batch_id, step.
SELECT value FROM aiqleads.pins WHERE batch_id = :batch_id AND step = :step
