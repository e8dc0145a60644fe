-- Touches by requests that repeat a known lead. Key: lead_id (the touch's own id). Inputs: one array per column, batch_id.
INSERT INTO aiqleads.touches (lead_id, existing_lead_id, batch_id, kind, touched_at)
SELECT new.lead_id, new.existing_lead_id, :batch_id, new.kind, new.touched_at
FROM unnest(
    cast(:lead_ids AS uuid[]), cast(:existing_lead_ids AS uuid[]), cast(:kinds AS text[]),
    cast(:touched_at AS timestamptz[])
) AS new (lead_id, existing_lead_id, kind, touched_at)
