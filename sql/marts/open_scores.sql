-- Open leads as they are scored now, with the priority that follows, what a person said instead, and why the model gave
-- its probability (leads above P3).
-- grain: open lead. key: lead_id. inputs: rescored (SCORED_LEADS), reclassified (CLASSIFIED_LEADS),
-- overrides (lead_id, priority, reason, expires_at), explained (lead_id, conversion_reasons). variables: score_as_of.
SELECT
    s.*,
    c.priority AS rules_priority,
    coalesce(o.priority, c.priority) AS priority,
    o.reason AS override_reason,
    o.expires_at AS override_expires_at,
    e.conversion_reasons,
    getvariable('score_as_of')::TIMESTAMPTZ AS scored_at
FROM rescored AS s
INNER JOIN reclassified AS c USING (lead_id)
LEFT JOIN overrides AS o USING (lead_id)
LEFT JOIN explained AS e USING (lead_id)
