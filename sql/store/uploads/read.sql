-- Grain: client that sent a batch's bytes. Inputs: batch_id.
SELECT batch_id, client, made_it, name, sent_at
FROM aiqleads.uploads
WHERE batch_id = :batch_id
ORDER BY sent_at, client
