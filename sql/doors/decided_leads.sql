-- What a caller who waits is told of a lead: score, class, and its owner or why it waits in review.
-- Grain: accepted lead. Key: lead_id. Inputs: routed, review (of the same routing), scored, classified.
SELECT
    s.lead_id,
    CASE WHEN r.lead_id IS NOT NULL THEN 'routed' ELSE 'in_review' END AS status,
    s.lead_score,
    c.priority,
    c.industry_code,
    c.size_segment,
    c.territory,
    r.team,
    r.owner,
    r.rule_id,
    strftime(r.sla_due_at, '%Y-%m-%dT%H:%M:%SZ') AS sla_due_at,
    v.reason_code
FROM scored AS s
INNER JOIN classified AS c ON c.lead_id = s.lead_id
LEFT JOIN routed AS r ON r.lead_id = s.lead_id
LEFT JOIN review AS v ON v.lead_id = s.lead_id
