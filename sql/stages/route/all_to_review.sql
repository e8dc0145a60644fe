-- All leads of a batch wait for a person, because routing failed.
-- grain: lead_id. inputs: enriched (the leads to route), classified; variable route_as_of.
SELECT
    c.lead_id,
    c.batch_id,
    'routing_failed' AS reason_code,
    json_object('team', NULL, 'owner', NULL, 'rule_id', NULL, 'priority', c.priority, 'otherwise', NULL)::VARCHAR
        AS suggestion,
    getvariable('route_as_of')::TIMESTAMPTZ AS opened_at,
    NULL::TIMESTAMPTZ AS resolved_at
FROM classified AS c
SEMI JOIN enriched AS e ON e.lead_id = c.lead_id
ORDER BY c.lead_id
