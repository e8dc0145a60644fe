-- Removes events that nobody repeats any more. Inputs: kept_seconds.
DELETE FROM aiqleads.webhook_events WHERE received_at <= now() - make_interval(secs => :kept_seconds)
