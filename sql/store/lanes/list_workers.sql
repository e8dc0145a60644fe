-- Which other processes send to a destination now. Grain: worker. Inputs: destination, worker (this one), now.
SELECT worker, slots_count
FROM aiqleads.delivery_workers
WHERE destination = :destination AND worker <> :worker AND expires_at > :now
