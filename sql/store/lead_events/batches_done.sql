-- Batches of leads that were done between two times. Grain: batch. Inputs: since, until.
SELECT batch_id, source, channel, finished_at, counts::text AS counts
FROM aiqleads.batches
WHERE state = 'done' AND source <> 'outcomes' AND finished_at > :since AND finished_at <= :until
ORDER BY finished_at, batch_id
