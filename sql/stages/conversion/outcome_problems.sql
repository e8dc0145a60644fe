-- What is wrong with the lines of an outcomes file.
-- grain: one row per line and fault; key: row_number, column_name
-- inputs: outcome_checked (outcomes.sql)
-- variables: none
SELECT
    row_number, line_number,
    CASE WHEN fault IN ('unknown_outcome', 'outcome_open') THEN 'outcome'
         WHEN fault IN ('invalid_date', 'ambiguous_date', 'out_of_range') THEN 'closed_at' END AS column_name,
    fault AS code,
    CASE column_name WHEN 'outcome' THEN outcome WHEN 'closed_at' THEN closed_text END AS value,
    true AS is_rejected
FROM outcome_checked WHERE fault IS NOT NULL
UNION ALL
SELECT row_number, line_number, 'outcome', 'outcome_superseded', outcome, true
FROM outcome_checked WHERE is_superseded
UNION ALL
SELECT row_number, line_number, 'revenue', revenue_fault, revenue_text, false
FROM outcome_checked WHERE fault IS NULL AND NOT is_superseded AND revenue_fault IS NOT NULL
ORDER BY ALL
