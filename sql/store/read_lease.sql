-- Grain: the lease. Key: name. Inputs: name. Time is the database's.
SELECT holder, epoch, expires_at <= clock_timestamp() AS is_expired FROM aiqleads.leases WHERE name = :name
