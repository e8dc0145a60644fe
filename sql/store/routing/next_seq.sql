-- A new routing and its number; whoever asks holds the lock. Grain: one row. Inputs: batch_id.
INSERT INTO aiqleads.routings (seq, batch_id)
SELECT coalesce(max(seq), 0) + 1, :batch_id FROM aiqleads.routings
RETURNING seq
