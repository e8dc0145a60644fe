-- The rules alone say what a batch's columns mean. Inputs: batch_id.
DELETE FROM aiqleads.batch_mappings WHERE batch_id = :batch_id
