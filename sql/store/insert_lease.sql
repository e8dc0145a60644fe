-- Takes a lease that never was. Grain: the lease, if nobody was faster. Key: name. Inputs: name, holder, seconds.
INSERT INTO aiqleads.leases (name, holder, epoch, taken_at, expires_at)
VALUES (:name, :holder, 1, clock_timestamp(), clock_timestamp() + make_interval(secs => :seconds))
ON CONFLICT (name) DO NOTHING
RETURNING epoch
