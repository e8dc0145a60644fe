-- The leads that wait for a person, with what routing would do. `otherwise` is why the lead would wait even with
-- automatic routing on.
-- grain: lead_id. inputs: route_placed, route_rules, route_slots; variables route_batch_id, route_as_of, route_is_on.
SELECT
    placed.lead_id,
    getvariable('route_batch_id') AS batch_id,
    CASE WHEN getvariable('route_is_on') THEN placed.review_code ELSE 'routing_disabled' END AS reason_code,
    json_object(
        'team', CASE WHEN rule.review_code IS NULL THEN rule.team END,
        'owner', slots.owner,
        'rule_id', rule.rule_id,
        'priority', placed.priority,
        'otherwise', CASE WHEN NOT getvariable('route_is_on') THEN placed.review_code END
    )::VARCHAR AS suggestion,
    getvariable('route_as_of')::TIMESTAMPTZ AS opened_at,
    NULL::TIMESTAMPTZ AS resolved_at
FROM route_placed AS placed
JOIN route_rules AS rule ON rule.rule_number = placed.rule_number
LEFT JOIN route_slots AS slots ON slots.slot = placed.slot
WHERE placed.review_code IS NOT NULL OR NOT getvariable('route_is_on')
