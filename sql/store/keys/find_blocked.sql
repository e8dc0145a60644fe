-- Until when log-ins are refused, by the database's clock: seconds from now, null where they are not.
-- Inputs: subjects.
SELECT extract(EPOCH FROM max(blocked_until) - clock_timestamp())
FROM aiqleads.login_failures
WHERE subject = ANY(:subjects) AND blocked_until > clock_timestamp()
