-- Whether the batch has intents of delivery from an earlier run. Grain: one row. Inputs: batch_id.
SELECT EXISTS (SELECT FROM aiqleads.outbox WHERE batch_id = :batch_id)
    OR EXISTS (SELECT FROM aiqleads.batch_deliveries WHERE batch_id = :batch_id)
