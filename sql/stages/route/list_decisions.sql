-- The distinct decisions behind the routed leads: each gets its explanation once.
-- grain: rule_number, method, slot, account_owner. inputs: route_placed.
SELECT DISTINCT rule_number, method, slot, account_owner
FROM route_placed
WHERE review_code IS NULL
ORDER BY ALL
