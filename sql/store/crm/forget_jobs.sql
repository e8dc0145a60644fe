-- Jobs with nothing left to read, and those so old that the CRM forgot them. Inputs: destination, before.
DELETE FROM aiqleads.crm_jobs
WHERE destination = :destination AND (cardinality(delivery_ids) = 0 OR created_at < :before)
