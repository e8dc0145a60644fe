-- What is known of leads that were sent before, and are not known to be gone. Grain: lead. Inputs: destination, lead_ids.
SELECT lead_id, owner_sent, external_id
FROM aiqleads.crm_records
WHERE destination = :destination AND lead_id = ANY(cast(:lead_ids AS uuid[])) AND external_id IS NOT NULL
