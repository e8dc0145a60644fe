-- The fields that marks are of. Key: mapping_id. Inputs: mapping_id, field_names.
INSERT INTO aiqleads.crm_mappings (mapping_id, field_names)
VALUES (:mapping_id, cast(:field_names AS text[]))
ON CONFLICT (mapping_id) DO NOTHING
