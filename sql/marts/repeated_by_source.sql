-- Rows that repeated a known lead, by source. grain: source. key: source. inputs: duplicate_leads, raw_leads (all batches).
SELECT r.source, count(*) AS duplicates_count
FROM duplicate_leads AS d INNER JOIN raw_leads AS r USING (lead_id)
GROUP BY r.source
