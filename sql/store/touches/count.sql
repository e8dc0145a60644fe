-- How often known leads came again until a time, and when last. Grain: existing lead.
-- Inputs: until; lead_ids (array; null: all leads).
SELECT existing_lead_id AS lead_id, count(*) AS touches_count, max(touched_at) AS last_touched_at
FROM aiqleads.touches
WHERE touched_at <= :until
    AND (cast(:lead_ids AS uuid[]) IS NULL OR existing_lead_id = ANY(cast(:lead_ids AS uuid[])))
GROUP BY existing_lead_id
