-- A run ended: done with its counts, failed or quarantined with a reason. counts null: those of before stay.
-- Inputs: batch_id, state, counts (JSON text), reason_code, detail, now (null: the database's clock).
UPDATE aiqleads.batches
SET
    state = :state,
    counts = coalesce(cast(:counts AS jsonb), counts),
    reason_code = :reason_code,
    detail = :detail,
    finished_at = coalesce(cast(:now AS timestamptz), clock_timestamp())
WHERE batch_id = :batch_id
RETURNING batch_id
