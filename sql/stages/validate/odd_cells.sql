-- Grain: distinct cell of a column of numbers or times that is not written as programs write it. Input: view raw.
-- Columns: column_name, received, cell (cleaned).
WITH odd AS (
    SELECT DISTINCT 'employee_count' AS column_name, employee_count AS received FROM raw WHERE NOT is_plain_number(employee_count)
    UNION ALL
    SELECT DISTINCT 'annual_revenue_usd' AS column_name, annual_revenue_usd AS received FROM raw WHERE NOT is_plain_number(annual_revenue_usd)
    UNION ALL
    SELECT DISTINCT 'budget_usd' AS column_name, budget_usd AS received FROM raw WHERE NOT is_plain_number(budget_usd)
    UNION ALL
    SELECT DISTINCT 'last_activity_at', last_activity_at FROM raw WHERE NOT is_plain_time(last_activity_at)
    UNION ALL
    SELECT DISTINCT 'consent_at', consent_at FROM raw WHERE NOT is_plain_time(consent_at)
    UNION ALL
    SELECT DISTINCT 'created_at', created_at FROM raw WHERE NOT is_plain_time(created_at)
)

SELECT column_name, received, clean_cell(received) AS cell
FROM odd
WHERE received <> ''  -- '' stands for the cells that are not odd
