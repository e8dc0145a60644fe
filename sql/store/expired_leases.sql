-- Grain: lease that is held and free to take over by its time. Key: name. Inputs: none.
SELECT name, epoch, holder, expires_at FROM aiqleads.leases
WHERE holder <> '' AND expires_at <= clock_timestamp()
ORDER BY expires_at, name
