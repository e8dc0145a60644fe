-- What a set of rules makes of past leads.
-- grain: lead. key: lead_id. inputs: past (ENRICHED_LEADS), scored, classified, routed, review (of those leads).
SELECT
    p.lead_id, p.source,
    s.lead_score, s.weights_code,
    c.priority, c.territory,
    r.team, r.owner, r.rule_id,
    v.reason_code AS review_code,
    (epoch(r.sla_due_at) - epoch(r.routed_at)) / 60 AS sla_minutes
FROM past AS p
INNER JOIN scored AS s USING (lead_id)
INNER JOIN classified AS c USING (lead_id)
LEFT JOIN routed AS r USING (lead_id)
LEFT JOIN review AS v USING (lead_id)
