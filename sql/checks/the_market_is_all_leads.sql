-- Territories, industries and weeks together hold every accepted lead once.
-- grain: one row if they don't. inputs: mart (market_insights.sql), story (closed_story.sql).
SELECT leads_count
FROM (SELECT coalesce(sum(leads_count), 0) AS leads_count FROM mart)
WHERE leads_count <> (SELECT count(*) FROM story)
