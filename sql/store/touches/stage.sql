-- The repeats of a batch, for the length of the transaction. Key: lead_id.
CREATE TEMP TABLE new_touches (lead_id uuid, existing_lead_id uuid) ON COMMIT DROP
