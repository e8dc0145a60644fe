-- The leads are in a batch's drop from now on. Inputs: lead_ids, batch_id.
UPDATE aiqleads.intake SET batch_id = :batch_id, content = NULL WHERE lead_id = ANY(cast(:lead_ids AS uuid[]))
