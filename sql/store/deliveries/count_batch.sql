-- Where the deliveries of a batch stand. Grain: destination and state. Inputs: batch_id.
SELECT destination, state, count(*) AS deliveries_count
FROM aiqleads.deliveries
WHERE batch_id = :batch_id
GROUP BY destination, state
ORDER BY destination, state
