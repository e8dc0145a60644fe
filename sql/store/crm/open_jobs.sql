-- Jobs that hold any of these deliveries, the oldest first. Grain: job. Inputs: destination, delivery_ids.
SELECT job_id, delivery_ids, created_at
FROM aiqleads.crm_jobs
WHERE destination = :destination AND delivery_ids && cast(:delivery_ids AS uuid[])
ORDER BY created_at, job_id
