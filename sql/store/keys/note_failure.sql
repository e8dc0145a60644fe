-- Counts a failed log-in for each subject. The first :free_count cost nothing; each further one blocks twice as long as
-- the one before, up to :max_seconds. A subject that was quiet for :forget_seconds begins anew.
-- Grain: the subject. Inputs: subjects (sorted, so that two writers can't lock each other out), limits as above.
INSERT INTO aiqleads.login_failures AS f (subject, failures_count, last_failed_at, blocked_until)
SELECT subject, 1, clock_timestamp(), clock_timestamp()
FROM unnest(cast(:subjects AS text [])) AS subject
ON CONFLICT (subject) DO UPDATE
SET
    failures_count = CASE
        WHEN f.last_failed_at < clock_timestamp() - make_interval(secs => :forget_seconds) THEN 1
        ELSE least(f.failures_count, 1000) + 1
    END,
    last_failed_at = clock_timestamp(),
    blocked_until = CASE
        WHEN f.last_failed_at < clock_timestamp() - make_interval(secs => :forget_seconds) THEN clock_timestamp()
        WHEN f.failures_count + 1 <= :free_count THEN clock_timestamp()
        ELSE
            clock_timestamp()
            + make_interval(secs => least(:max_seconds, power(2, least(f.failures_count - :free_count, 30))))
    END
