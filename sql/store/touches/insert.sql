-- One touch per repeating row, however often its batch is run. Key: lead_id.
-- Inputs: new_touches; batch_id, kind, touched_at.
INSERT INTO aiqleads.touches AS t (lead_id, existing_lead_id, batch_id, kind, touched_at)
SELECT lead_id, existing_lead_id, :batch_id, :kind, :touched_at FROM new_touches
ON CONFLICT (lead_id) DO UPDATE SET existing_lead_id = excluded.existing_lead_id
WHERE t.existing_lead_id <> excluded.existing_lead_id
