-- One lead that the doors took in. Key: lead_id. Inputs: lead_id.
SELECT lead_id, client, source, source_channel, received_at, batch_id FROM aiqleads.intake WHERE lead_id = :lead_id
