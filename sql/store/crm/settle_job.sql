-- Deliveries whose results were read leave their job. Inputs: destination, job_id, delivery_ids.
UPDATE aiqleads.crm_jobs
SET delivery_ids = ARRAY(SELECT unnest(delivery_ids) EXCEPT SELECT unnest(cast(:delivery_ids AS uuid[])))
WHERE destination = :destination AND job_id = :job_id
