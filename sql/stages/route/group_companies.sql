-- The companies of the batch: whose account each is, and the first lead that takes its turn in a rota for it.
-- An account whose owner is away for some days stays his (`stays`); one whose owner is gone is given anew (`gone`).
-- grain: company_domain. inputs: route_matched, route_rules, route_owners, accounts.
WITH companies AS (
    SELECT matched.company_domain, min(matched.row_number) FILTER (WHERE rule.has_owners) AS first_row
    FROM route_matched AS matched
    JOIN route_rules AS rule ON rule.rule_number = matched.rule_number
    WHERE matched.company_domain IS NOT NULL AND rule.review_code IS NULL
    GROUP BY matched.company_domain
)
SELECT
    companies.company_domain,
    companies.first_row,
    accounts.owner AS account_owner,
    CASE
        WHEN accounts.owner IS NULL THEN NULL
        WHEN owners.is_available THEN 'open'
        WHEN owners.owner IS NOT NULL THEN 'stays'
        ELSE 'gone'
    END AS account_state
FROM companies
LEFT JOIN accounts ON accounts.company_domain = companies.company_domain
LEFT JOIN route_owners AS owners ON owners.owner = accounts.owner
