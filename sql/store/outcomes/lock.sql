-- One writer of outcomes at a time, so that each closes its owner's load once; released with the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('aiqleads outcomes', 0))
