-- Lead ids that occur more than once in a batch: must return no row.
-- grain: lead_id. inputs: raw_leads.
SELECT lead_id, count(*) AS times_count
FROM raw_leads
GROUP BY lead_id
HAVING count(*) > 1
