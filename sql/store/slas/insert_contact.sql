-- Somebody spoke with a lead; the same contact told again counts once. Key: contact_id. Inputs: the columns.
INSERT INTO aiqleads.lead_contacts (contact_id, lead_id, kind, contacted_at, client, received_at)
VALUES (:contact_id, :lead_id, :kind, :contacted_at, :client, :now)
ON CONFLICT (contact_id) DO NOTHING
RETURNING contact_id
