-- A bulk job that was made, before anything is in it. Key: destination, job_id.
-- Inputs: destination, job_id, delivery_ids, now.
INSERT INTO aiqleads.crm_jobs (destination, job_id, delivery_ids, created_at)
VALUES (:destination, :job_id, cast(:delivery_ids AS uuid[]), :now)
ON CONFLICT (destination, job_id) DO NOTHING
