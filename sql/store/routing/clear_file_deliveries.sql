-- The rows of many intents that have been given one each. Inputs: batch_id.
DELETE FROM aiqleads.batch_deliveries WHERE batch_id = :batch_id
