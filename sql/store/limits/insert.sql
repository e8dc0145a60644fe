-- Clients that never sent a lead before. Inputs: clients (sorted).
INSERT INTO aiqleads.lead_quotas (client)
SELECT unnest(cast(:clients AS text []))
ON CONFLICT DO NOTHING
