-- The batches of open scores that were noted. Grain: batch. Inputs: none.
SELECT batch_id FROM aiqleads.rescorings
