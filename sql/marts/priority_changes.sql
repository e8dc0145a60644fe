-- Open leads whose priority is another than it was when they were scored last, the most urgent first.
-- grain: lead. key: lead_id. inputs: scores (open_scores.sql: of now), scores_before (lead_id, priority, scored_at: older
-- ones), classified_leads (the priority of leads that were not scored anew before), routed_leads (their teams).
WITH last_scores AS (
    FROM scores_before QUALIFY row_number() OVER (PARTITION BY lead_id ORDER BY scored_at DESC) = 1
)
SELECT
    s.lead_id, coalesce(b.priority, c.priority) AS priority_before, s.priority, s.lead_score, s.override_reason, r.team,
    count(*) OVER () AS changes_count
FROM scores AS s
LEFT JOIN last_scores AS b USING (lead_id)
INNER JOIN classified_leads AS c USING (lead_id)
INNER JOIN routed_leads AS r USING (lead_id)
WHERE s.priority <> coalesce(b.priority, c.priority)
ORDER BY s.priority, s.lead_score DESC, s.lead_id
