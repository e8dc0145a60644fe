-- Grain: column of times. Key: column_name. Input: table odd_cells; variable date_order (dmy, mdy or auto).
-- `day_first`: how the file writes 05/07/2025 there. A value above 12 decides for its column; where a column shows both
-- orders or neither, the source's order holds, else what the file's other columns agree on; null: nobody can know.
WITH shown AS (
    SELECT column_name, bool_or(is_day_first(cell)) AS has_day_first, bool_or(is_month_first(cell)) AS has_month_first
    FROM odd_cells
    GROUP BY column_name
),

decided AS (
    SELECT column_name, CASE WHEN has_day_first <> has_month_first THEN has_day_first END AS day_first
    FROM shown
)

SELECT
    column_name,
    coalesce(
        day_first,
        CASE getvariable('date_order') WHEN 'dmy' THEN true WHEN 'mdy' THEN false END,
        (SELECT CASE WHEN bool_and(day_first) = bool_or(day_first) THEN bool_and(day_first) END FROM decided)
    ) AS day_first
FROM decided
