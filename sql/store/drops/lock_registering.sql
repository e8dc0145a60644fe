-- One registering process at a time, so that what is new is decided once; released with the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('aiqleads drops', 0))
