-- The table routed_leads.
-- grain: lead_id. inputs: route_placed, route_rules, route_slots, route_reasons;
-- variables route_batch_id, route_as_of, route_is_on.
SELECT
    placed.lead_id,
    getvariable('route_batch_id') AS batch_id,
    rule.team,
    slots.owner,
    rule.rule_id,
    CASE placed.method WHEN 'rota' THEN 'rota' ELSE 'account' END AS owner_method,
    placed.priority,
    reasons.reasons,
    getvariable('route_as_of')::TIMESTAMPTZ + to_minutes(rule.sla_minutes[placed.priority::VARCHAR]) AS sla_due_at,
    getvariable('route_as_of')::TIMESTAMPTZ AS routed_at
FROM route_placed AS placed
JOIN route_rules AS rule ON rule.rule_number = placed.rule_number
JOIN route_slots AS slots ON slots.slot = placed.slot
JOIN route_reasons AS reasons
    ON reasons.rule_number = placed.rule_number
    AND reasons.method = placed.method::VARCHAR
    AND reasons.slot = placed.slot
    AND reasons.account_owner_number = coalesce(placed.account_owner_number, -2)
WHERE placed.review_code IS NULL AND getvariable('route_is_on')
