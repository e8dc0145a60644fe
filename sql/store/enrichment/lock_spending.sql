-- One at a time reserves money, over all providers. Inputs: lock.
SELECT pg_advisory_xact_lock(:lock)
