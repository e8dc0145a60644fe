-- Grain: the lease, if this holder still has it. Key: name. Inputs: name, epoch, holder.
-- The share lock makes a take-over wait until this transaction has ended.
SELECT 1 FROM aiqleads.leases WHERE name = :name AND epoch = :epoch AND holder = :holder FOR SHARE
