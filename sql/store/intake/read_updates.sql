-- What was said about a lead since it came, in order. Grain: update. Inputs: lead_id.
SELECT update_id, client, source, received_at, content
FROM aiqleads.lead_updates
WHERE lead_id = :lead_id
ORDER BY update_id
