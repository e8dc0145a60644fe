-- Grain: batch. Inputs: batch_id.
SELECT mapping FROM aiqleads.batch_mappings WHERE batch_id = :batch_id
