-- A client sent the bytes of a batch; who sent them before stays as it was.
-- Inputs: batch_id, client, made_it, name, sent_at.
INSERT INTO aiqleads.uploads (batch_id, client, made_it, name, sent_at)
VALUES (:batch_id, :client, :made_it, :name, :sent_at)
ON CONFLICT (batch_id, client) DO NOTHING
