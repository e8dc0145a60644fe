-- Routed leads whose reasons lack the rule, the method or the candidates: must return no row.
-- grain: lead_id. inputs: routed_leads.
SELECT lead_id
FROM routed_leads
WHERE rule_id IS NULL
    OR owner IS NULL
    OR json_extract_string(reasons, '$.rule') IS NULL
    OR json_extract_string(reasons, '$.method') IS NULL
    OR json_array_length(reasons, '$.candidates') IS NULL
