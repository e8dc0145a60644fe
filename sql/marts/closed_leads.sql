-- Closed leads as they were known when they were scored, with how they ended: what the model learns from.
-- grain: closed lead. key: lead_id. inputs: enriched_leads (all batches), outcomes (lead_id, result, closed_at).
SELECT e.*, o.result, o.closed_at
FROM enriched_leads AS e
INNER JOIN outcomes AS o USING (lead_id)
