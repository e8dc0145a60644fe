-- Takes over a lease by raising its epoch. Grain: the lease, if it is still as it was seen and free to take (expired, or
-- its holder is known to be dead). Key: name. Inputs: name, holder, seconds, seen_epoch, seen_holder, is_dead.
UPDATE aiqleads.leases
SET holder = :holder,
    epoch = epoch + 1,
    taken_at = clock_timestamp(),
    expires_at = clock_timestamp() + make_interval(secs => :seconds)
WHERE name = :name
  AND epoch = :seen_epoch
  AND holder = :seen_holder
  AND (:is_dead OR expires_at <= clock_timestamp())
RETURNING epoch
