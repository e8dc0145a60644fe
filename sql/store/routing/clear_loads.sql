-- What the batch gave in an earlier run. Inputs: batch_id.
DELETE FROM aiqleads.owner_loads WHERE batch_id = :batch_id
