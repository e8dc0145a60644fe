-- What the marked rows of a fast read add up to.
-- Grain: one row. Inputs: reading_marks (rows with line ends inside of cells, blank rows, cells beyond the limit).
SELECT
    coalesce(sum(line_ends), 0)::BIGINT AS line_ends,
    coalesce(bool_or(is_odd), false) AS is_odd,
    coalesce(bool_or(may_hold_record), false) AS may_hold_record
FROM reading_marks
