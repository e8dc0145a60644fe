-- Removes answers that are too old to count. Grain: row that was removed. Inputs: provider, answered_before.
DELETE FROM aiqleads.provider_answers
WHERE provider = :provider AND answered_at < cast(:answered_before AS timestamptz)
RETURNING 1
