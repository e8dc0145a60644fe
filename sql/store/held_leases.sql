-- Grain: lease that somebody holds. Key: name. Inputs: none.
SELECT name, epoch, holder, expires_at FROM aiqleads.leases WHERE holder <> '' ORDER BY name
