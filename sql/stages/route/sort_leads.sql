-- How each lead is to find its owner (`method`), its place in that lane, and how many leads the lane holds:
-- account: the company's account has an owner. lane: the owner
-- follow:  the first lead of the company in this batch (row `first_row`) decides
-- rota:    the team's next turn. lane: the team
-- review:  no owner can be found (`review_code`)
-- grain: lead_id. inputs: route_matched, route_rules, route_companies.
WITH methods AS (
    SELECT
        matched.lead_id,
        matched.batch_id,
        matched.row_number,
        matched.priority,
        matched.rule_number,
        rule.team,
        companies.first_row,
        companies.account_owner,
        CASE
            WHEN rule.review_code IS NOT NULL THEN 'review'
            WHEN companies.account_state = 'open' THEN 'account'
            WHEN companies.first_row < matched.row_number THEN 'follow'
            WHEN rule.has_owners THEN 'rota'
            ELSE 'review'
        END AS method,
        CASE WHEN method = 'review' THEN coalesce(rule.review_code, 'no_owner') END AS review_code
    FROM route_matched AS matched
    JOIN route_rules AS rule ON rule.rule_number = matched.rule_number
    LEFT JOIN route_companies AS companies ON companies.company_domain = matched.company_domain
)
SELECT
    lead_id,
    batch_id,
    row_number,
    priority,
    rule_number,
    method,
    review_code,
    first_row,
    account_owner,
    CASE method WHEN 'rota' THEN team WHEN 'account' THEN account_owner END AS lane,
    row_number() OVER (PARTITION BY method, lane ORDER BY row_number) - 1 AS place
FROM methods
