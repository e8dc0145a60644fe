-- The newest score of each open lead.
-- grain: open lead. key: lead_id. inputs: open_lead_scores (the batches since all were scored last),
-- outcomes (lead_id: leads that were closed since).
FROM (FROM open_lead_scores QUALIFY row_number() OVER (PARTITION BY lead_id ORDER BY scored_at DESC) = 1)
ANTI JOIN outcomes USING (lead_id)
