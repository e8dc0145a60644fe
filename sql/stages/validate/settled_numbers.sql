-- Grain: distinct odd cell of a column of numbers, and '' for each column. Key: column_name, received.
-- Inputs: table odd_cells; variables currency_rates, home_rate. Whether a column uses the decimal comma is decided for
-- the file, from what its values give away.
WITH commas AS (
    SELECT
        column_name,
        count(*) FILTER (shows_decimal_comma(cell)) > count(*) FILTER (shows_decimal_point(cell)) AS has_comma
    FROM odd_cells
    GROUP BY column_name
),

read AS (
    SELECT column_name, received, cell, ends_with(column_name, '_usd') AS is_money, has_comma, amount_parts(cell) AS parts
    FROM odd_cells
    JOIN commas USING (column_name)
    WHERE column_name NOT IN ('last_activity_at', 'consent_at', 'created_at')
),

numbers AS (
    SELECT
        *,
        parts.currency_1 || parts.currency_2 AS mark,
        written_number(parts.number_1, has_comma, parts.times_1 <> '') * multiplier(coalesce(nullif(parts.times_1, ''), parts.times_2)) AS first,
        CASE WHEN parts.number_2 <> '' THEN written_number(parts.number_2, has_comma, parts.times_2 <> '') * multiplier(parts.times_2) END AS second
    FROM read
),

-- The middle of a range; negative where it says so.
amounts AS (
    SELECT
        *,
        CASE WHEN parts.sign_1 || parts.sign_2 || parts.sign_3 <> '' THEN -1 ELSE 1 END
        * CASE WHEN parts.number_2 = '' THEN first ELSE (first + second) / 2 END AS amount,
        getvariable('currency_rates')[CASE WHEN parts.currency_1 = '' THEN parts.currency_2 ELSE parts.currency_1 END] AS rate
    FROM numbers
),

valued AS (
    SELECT
        *,
        CASE
            WHEN is_money THEN round(amount * rate, 2)
            WHEN mark = '' AND amount IS NOT NULL THEN amount
            ELSE damaged_range(cell)
        END AS value,
        CASE WHEN is_money THEN 1e15 ELSE 1e7 END AS most
    FROM amounts
)

SELECT
    column_name,
    received,
    CASE
        WHEN cell IS NULL THEN NULL
        WHEN value NOT BETWEEN 0 AND most THEN 'out_of_range'
        WHEN value IS NOT NULL AND (amount IS NULL OR (NOT is_money AND mark <> '')) THEN 'spreadsheet_arithmetic'
        WHEN value IS NOT NULL THEN NULL
        WHEN is_placeholder(cell) THEN 'placeholder_value'
        WHEN is_money AND amount IS NOT NULL THEN 'unknown_currency'
        WHEN is_money THEN 'invalid_money'
        ELSE 'invalid_number'
    END AS fault,
    CASE WHEN value BETWEEN 0 AND most THEN value END AS value
FROM valued
UNION ALL
SELECT unnest(['employee_count', 'annual_revenue_usd', 'budget_usd']), '', NULL, NULL
