-- Removes calls that are too old to count. Inputs: started_before.
DELETE FROM aiqleads.provider_calls WHERE started_at < cast(:started_before AS timestamptz)
