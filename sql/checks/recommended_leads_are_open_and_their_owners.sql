-- Who is recommended a lead owns it, it is still open, and nobody is recommended more than 20.
-- grain: recommendation that breaks it. inputs: mart (recommended_leads.sql), story (closed_story.sql).
SELECT r.lead_id
FROM mart AS r LEFT JOIN story AS s USING (lead_id)
WHERE s.owner IS DISTINCT FROM r.owner OR s.result IS NOT NULL OR r.place NOT BETWEEN 1 AND 20
