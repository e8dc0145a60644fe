-- One batch at a time from its snapshot to its commit, so that no two assign from the same counters; released with the
-- transaction.
SELECT pg_advisory_xact_lock(hashtextextended('aiqleads routing', 0))
