-- Grain: distinct odd cell of a column of times, and '' for each column. Key: column_name, received.
-- Inputs: table odd_cells, view habits; variables as_of, time_zone.
WITH parts AS (
    SELECT
        column_name, received, cell, day_first,
        is_numeric_date(cell) AS is_numeric,
        CASE
            WHEN is_numeric_date(cell) THEN numeric_date_parts(cell)
            WHEN NOT regexp_matches(cell, '^(?:\d{4}[-/]|[\d.]+$)') THEN worded_date_parts(cell)
        END AS part
    FROM odd_cells
    JOIN habits USING (column_name)
    WHERE column_name IN ('last_activity_at', 'consent_at', 'created_at')
),

ordered AS (
    SELECT
        *,
        CASE
            WHEN NOT is_numeric THEN true
            WHEN part.a = part.b OR TRY_CAST(part.a AS INTEGER) > 12 THEN true
            WHEN TRY_CAST(part.b AS INTEGER) > 12 THEN false
            ELSE day_first
        END AS is_day_first,
        CASE WHEN NOT is_numeric AND part.a <> '' AND part.y <> '' THEN month_place(part.b) END AS month_place
    FROM parts
),

texts AS (
    SELECT
        *,
        CASE
            WHEN regexp_matches(cell, '^\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:$|[T ])') THEN cell
            WHEN is_numeric AND is_day_first THEN iso_text(part.y, part.b, part.a, part.clock, getvariable('as_of'))
            WHEN is_numeric AND NOT is_day_first THEN iso_text(part.y, part.a, part.b, part.clock, getvariable('as_of'))
            WHEN is_numeric THEN NULL
            WHEN regexp_full_match(cell, '\d{4}\.\d{2}\.\d{2}') THEN replace(cell, '.', '-')
            WHEN regexp_full_match(cell, '[\d.]+') THEN numbered_time_text(cell)
            WHEN month_place > 0 THEN iso_text(part.y, (month_place - 1) // 4 % 12 + 1, part.a, part.clock, getvariable('as_of'))
            ELSE relative_time_text(cell, getvariable('as_of'))
        END AS iso
    FROM ordered
),

moments AS (SELECT *, moment(iso, getvariable('time_zone')) AS moment FROM texts)

SELECT
    column_name,
    received,
    time_fault(cell, moment, day_first, getvariable('as_of')) AS fault,
    CASE WHEN fault IS NULL THEN moment END AS moment
FROM moments
UNION ALL
SELECT unnest(['last_activity_at', 'consent_at', 'created_at']), '', NULL, NULL
