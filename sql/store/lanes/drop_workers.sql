-- A process sends no more; those that died long ago are forgotten too. Inputs: worker, now.
DELETE FROM aiqleads.delivery_workers
WHERE worker = :worker OR expires_at < cast(:now AS timestamptz) - interval '1 day'
