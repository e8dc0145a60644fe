-- What waits to become a batch. Grain: source and channel, the longest waiting first. Inputs: none.
SELECT source, source_channel, count(*) AS leads_count, min(received_at) AS oldest_at
FROM aiqleads.intake
WHERE batch_id IS NULL
GROUP BY source, source_channel
ORDER BY min(received_at)
