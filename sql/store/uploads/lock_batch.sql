-- The batch's state, which stays so until the transaction ends. Inputs: batch_id.
SELECT state FROM aiqleads.batches WHERE batch_id = :batch_id FOR UPDATE
