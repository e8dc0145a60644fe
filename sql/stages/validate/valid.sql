-- Grain: accepted lead that repeats no other. Key: lead_id. Inputs: views checked, duplicates.
SELECT * EXCLUDE (line_number, violations)
FROM checked
WHERE len(violations) = 0 AND lead_id NOT IN (SELECT lead_id FROM duplicates)
