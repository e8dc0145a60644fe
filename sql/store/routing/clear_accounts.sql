-- The companies that the batch gave an owner in an earlier run. Inputs: batch_id.
DELETE FROM aiqleads.accounts WHERE batch_id = :batch_id
