-- The rejected rows of a batch as their sender's file has them, with what is wrong.
-- Grain: rejected row. Key: drop_row. Inputs: views cells (the file as it was read), rejected (REJECTED_LEADS), words
-- (code, how_to_fix), headers (column_name, header).
WITH faults AS (
    SELECT
        rejected.row_number,
        string_agg(coalesce(headers.header, rejected.column_name), '; ' ORDER BY rejected.code, headers.header)
            AS column_names,
        string_agg(rejected.code, '; ' ORDER BY rejected.code, headers.header) AS codes,
        string_agg(DISTINCT words.how_to_fix, ' ' ORDER BY words.how_to_fix) AS hints
    FROM rejected
    LEFT JOIN words ON words.code = rejected.code
    LEFT JOIN headers ON headers.column_name = rejected.column_name
    GROUP BY rejected.row_number
)

SELECT
    coalesce(cells.line_number, cells.drop_row) AS line_number,
    faults.column_names,
    faults.codes,
    faults.hints,
    cells.raw_line,
    cells.* EXCLUDE (drop_row, line_number, read_error_code, raw_line)
FROM cells
JOIN faults ON faults.row_number = cells.drop_row
ORDER BY cells.drop_row
