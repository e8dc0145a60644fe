-- The fields that marks are of. Key: mapping_id. Inputs: mapping_id, signatures.
INSERT INTO aiqleads.crm_mappings (mapping_id, signatures)
VALUES (:mapping_id, cast(:signatures AS text[]))
ON CONFLICT (mapping_id) DO NOTHING
