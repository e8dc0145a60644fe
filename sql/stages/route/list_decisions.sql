-- The distinct decisions behind the routed leads: each gets its explanation once.
-- grain: rule_number, method, slot, account_owner_number. inputs: route_placed.
SELECT DISTINCT rule_number, method::VARCHAR, slot, account_owner_number
FROM route_placed
WHERE review_code IS NULL
ORDER BY ALL
