-- One teller at a time; released with the transaction.
SELECT pg_try_advisory_xact_lock(hashtextextended('aiqleads alerts', 0))
