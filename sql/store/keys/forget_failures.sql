-- Removes what is no longer held against anybody. Inputs: forget_seconds.
DELETE FROM aiqleads.login_failures
WHERE last_failed_at < clock_timestamp() - make_interval(secs => :forget_seconds) AND blocked_until < clock_timestamp()
