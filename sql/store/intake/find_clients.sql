-- Whose some leads are that the doors took in. Grain: lead; those of files are not listed. Inputs: lead_ids.
SELECT lead_id, client FROM aiqleads.intake WHERE lead_id = ANY(cast(:lead_ids AS uuid[]))
