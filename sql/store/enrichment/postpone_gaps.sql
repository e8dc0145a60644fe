-- Leads that still wait: tried again ever later, given up after so many times. Inputs: kind, lead_ids, now, first_seconds,
-- longest_seconds, most_attempts.
UPDATE aiqleads.enrichment_gaps
SET
    attempts_count = attempts_count + 1,
    next_at = CASE
        WHEN attempts_count + 1 < :most_attempts
        THEN cast(:now AS timestamptz) + make_interval(
            secs => least(:first_seconds * power(2, least(attempts_count, 20)), :longest_seconds)
        )
    END
WHERE kind = :kind AND lead_id = ANY(cast(:lead_ids AS uuid[])) AND closed_at IS NULL
