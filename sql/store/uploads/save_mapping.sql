-- What a batch's sender says about its columns. Inputs: batch_id, mapping (JSON text).
INSERT INTO aiqleads.batch_mappings (batch_id, mapping)
VALUES (:batch_id, cast(:mapping AS jsonb))
ON CONFLICT (batch_id) DO UPDATE SET mapping = excluded.mapping
