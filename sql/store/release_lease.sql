-- Gives a lease back: it is expired and without a holder; the epoch stays, so that it only ever grows.
-- Key: name. Inputs: name, epoch, holder.
UPDATE aiqleads.leases
SET holder = '', expires_at = clock_timestamp()
WHERE name = :name AND epoch = :epoch AND holder = :holder
