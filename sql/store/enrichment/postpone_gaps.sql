-- Leads that still wait: tried again later, given up after so many times. Inputs: kind, lead_ids, next_at, most_attempts.
UPDATE aiqleads.enrichment_gaps
SET
    attempts_count = attempts_count + 1,
    next_at = CASE WHEN attempts_count + 1 < :most_attempts THEN cast(:next_at AS timestamptz) END
WHERE kind = :kind AND lead_id = ANY(cast(:lead_ids AS uuid[])) AND closed_at IS NULL
