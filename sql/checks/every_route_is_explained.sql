-- Routes whose reasons lack the rule, the method or the candidates: must return no row. Leads that were decided alike
-- share their reasons, so each is opened once.
-- grain: distinct decision. inputs: routed_leads.
WITH decisions AS (SELECT DISTINCT rule_id, owner, reasons FROM routed_leads)
SELECT rule_id, owner
FROM decisions
WHERE rule_id IS NULL
    OR owner IS NULL
    OR json_extract_string(reasons, '$.rule') IS NULL
    OR json_extract_string(reasons, '$.method') IS NULL
    OR json_array_length(reasons, '$.candidates') IS NULL
