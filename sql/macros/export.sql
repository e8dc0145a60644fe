-- Macros for what leaves the system as files.

-- Text that a spreadsheet would run as a formula gets an apostrophe in front; plain numbers are no formulas.
CREATE OR REPLACE TEMP MACRO formula_safe(cell) AS
    CASE
        WHEN regexp_matches(cell, '^[=+@\t\r-]') AND NOT regexp_full_match(cell, '[+-]?[0-9]+([.][0-9]+)?') THEN '''' || cell
        ELSE cell
    END;
