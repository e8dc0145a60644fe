-- The table routed_leads.
-- grain: lead_id. inputs: route_placed, route_rules, route_reasons; variables route_as_of, route_is_on.
SELECT
    placed.lead_id,
    placed.batch_id,
    rule.team,
    placed.owner,
    rule.rule_id,
    CASE placed.method WHEN 'rota' THEN 'rota' ELSE 'account' END AS owner_method,
    placed.priority,
    reasons.reasons,
    getvariable('route_as_of')::TIMESTAMPTZ + to_minutes(rule.sla_minutes[placed.priority]) AS sla_due_at,
    getvariable('route_as_of')::TIMESTAMPTZ AS routed_at
FROM route_placed AS placed
JOIN route_rules AS rule ON rule.rule_number = placed.rule_number
JOIN route_reasons AS reasons
    ON reasons.rule_number = placed.rule_number
    AND reasons.method = placed.method
    AND reasons.slot = placed.slot
    AND reasons.account_owner = coalesce(placed.account_owner, '')
WHERE placed.review_code IS NULL AND getvariable('route_is_on')
