-- The priority of each open lead: by the rules, and what a person said instead.
-- grain: open lead. key: lead_id. inputs: reclassified (lead_id, priority), overrides (lead_id, priority, reason, expires_at).
SELECT
    c.lead_id,
    c.priority AS rules_priority,
    coalesce(o.priority, c.priority) AS priority,
    o.reason AS override_reason,
    o.expires_at AS override_expires_at
FROM reclassified AS c
LEFT JOIN overrides AS o USING (lead_id)
