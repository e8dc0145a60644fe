-- Removes answers that need not be given again. Inputs: kept_seconds.
DELETE FROM aiqleads.idempotency_keys WHERE answered_at <= now() - make_interval(secs => :kept_seconds)
