-- How many calls at once a process may make. Key: destination, worker. Inputs: destination, worker, slots_count,
-- expires_at.
INSERT INTO aiqleads.delivery_workers AS w (destination, worker, slots_count, expires_at)
VALUES (:destination, :worker, :slots_count, :expires_at)
ON CONFLICT (destination, worker) DO UPDATE
SET slots_count = excluded.slots_count, expires_at = excluded.expires_at
