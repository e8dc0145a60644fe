-- A limit of a client's own (null: the setting's). Inputs: client, max_count.
INSERT INTO aiqleads.lead_quotas (client, max_count)
VALUES (:client, :max_count)
ON CONFLICT (client) DO UPDATE SET max_count = excluded.max_count
