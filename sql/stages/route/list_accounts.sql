-- Companies that got an owner in this batch: new ones, and those whose account's owner is gone.
-- grain: company_domain. inputs: route_companies, route_placed, route_rules; variable route_is_on.
SELECT companies.company_domain, placed.owner, rule.team
FROM route_companies AS companies
JOIN route_placed AS placed ON placed.row_number = companies.first_row
JOIN route_rules AS rule ON rule.rule_number = placed.rule_number
WHERE placed.method = 'rota'
    AND placed.review_code IS NULL
    AND (companies.account_state IS NULL OR companies.account_state = 'gone')
    AND getvariable('route_is_on')
