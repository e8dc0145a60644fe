-- Companies that got an owner in this batch: new ones, and those whose account's owner is gone.
-- Sorted, because the store takes ascending keys twice as fast.
-- grain: company_domain. inputs: route_companies, route_placed, route_rules, route_slots; variable route_is_on.
SELECT companies.company_domain, slots.owner, rule.team
FROM route_companies AS companies
JOIN route_placed AS placed ON placed.row_number = companies.first_row
JOIN route_rules AS rule ON rule.rule_number = placed.rule_number
JOIN route_slots AS slots ON slots.slot = placed.slot
WHERE placed.method = 'rota'
    AND placed.review_code IS NULL
    AND coalesce(companies.account_state, 'gone') = 'gone'
    AND getvariable('route_is_on')
ORDER BY companies.company_domain
