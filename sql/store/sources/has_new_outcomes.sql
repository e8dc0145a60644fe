-- Whether a batch of outcomes was done between two times. Inputs: since, until.
SELECT EXISTS (
    SELECT FROM aiqleads.batches
    WHERE source = 'outcomes' AND state = 'done' AND finished_at > :since AND finished_at <= :until
)
