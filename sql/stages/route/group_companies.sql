-- The companies of the batch: whose account each is, and the first lead that takes its turn in a rota for it.
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
    -- -1 is somebody whom teams.yaml does not know any more
    CASE WHEN accounts.owner IS NOT NULL THEN coalesce(owners.owner_number, -1) END AS account_owner_number,
    CASE WHEN accounts.owner IS NOT NULL THEN coalesce(owners.state, 'gone') END AS account_state
FROM companies
LEFT JOIN accounts ON accounts.company_domain = companies.company_domain
LEFT JOIN route_owners AS owners ON owners.owner = accounts.owner
