-- Prolongs a lease. Grain: the lease, if this holder still has it. Key: name. Inputs: name, epoch, holder, seconds.
UPDATE aiqleads.leases
SET expires_at = clock_timestamp() + make_interval(secs => :seconds)
WHERE name = :name AND epoch = :epoch AND holder = :holder
RETURNING epoch
