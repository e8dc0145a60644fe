-- The line of the file at which each row begins, where cells hold line ends.
-- Grain and key: drop_row. Inputs: reading_marks; variables reading_rows, reading_skipped (lines before the first row).
WITH passed AS (
    SELECT drop_row, sum(line_ends) OVER (ORDER BY drop_row) AS line_ends FROM reading_marks
)
SELECT
    numbers.drop_row,
    numbers.drop_row + getvariable('reading_skipped') + coalesce(passed.line_ends, 0)::BIGINT AS line_number
FROM (SELECT range AS drop_row FROM range(1, getvariable('reading_rows')::BIGINT + 1)) AS numbers
ASOF LEFT JOIN passed ON numbers.drop_row > passed.drop_row
