-- How many batches a client made that are not ended. Inputs: client.
SELECT count(*)
FROM aiqleads.uploads AS u
JOIN aiqleads.batches AS b ON b.batch_id = u.batch_id
WHERE u.client = :client AND u.made_it AND b.state IN ('waiting', 'requested', 'running')
