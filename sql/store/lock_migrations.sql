-- One migrating process at a time; released with the transaction. Inputs: lock.
SELECT pg_advisory_xact_lock(:lock)
