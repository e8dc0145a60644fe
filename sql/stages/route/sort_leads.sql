-- How each lead is to find its owner (`method`), and its place in the lane of those who ask the same:
-- account: the company's account has an owner who is there. lane: owner_number
-- follow:  the first lead of the company in this batch (row `first_row`) decides
-- rota:    the team's next turn. lane: team_number
-- review:  no owner can be found (`review_code`)
-- Codes are enums and owners numbers: this is the widest table that must be held for every lead.
-- grain: lead_id. inputs: route_matched, route_rules, route_companies.
WITH methods AS (
    SELECT
        matched.lead_id,
        matched.row_number,
        matched.priority,
        matched.rule_number,
        CASE
            WHEN rule.review_code IS NOT NULL THEN 'review'
            WHEN companies.account_state = 'available' THEN 'account'
            WHEN companies.first_row < matched.row_number THEN 'follow'
            WHEN rule.has_owners THEN 'rota'
            ELSE 'review'
        END::ENUM ('account', 'follow', 'rota', 'review') AS method,
        CASE WHEN method = 'review' THEN coalesce(rule.review_code, 'no_owner') END
            ::ENUM ('no_rule', 'sent_to_review', 'no_owner', 'no_capacity') AS review_code,
        CASE WHEN method = 'follow' THEN companies.first_row END AS first_row,
        companies.account_owner_number,
        CASE method WHEN 'rota' THEN rule.team_number WHEN 'account' THEN companies.account_owner_number END AS lane
    FROM route_matched AS matched
    JOIN route_rules AS rule ON rule.rule_number = matched.rule_number
    LEFT JOIN route_companies AS companies ON companies.company_domain = matched.company_domain
)
SELECT *, row_number() OVER (PARTITION BY method, lane ORDER BY row_number) - 1 AS place
FROM methods
