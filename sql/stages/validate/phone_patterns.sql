-- Grain: one row, a column for each pattern that the phone macros read as a variable.
-- Inputs: ref_phone_patterns (valid numbers by first digit), ref_phone_regions (what national prefixes need care).
SELECT
    max(pattern) FILTER (first_digit = '1') AS phone_1,
    max(pattern) FILTER (first_digit = '2') AS phone_2,
    max(pattern) FILTER (first_digit = '3') AS phone_3,
    max(pattern) FILTER (first_digit = '4') AS phone_4,
    max(pattern) FILTER (first_digit = '5') AS phone_5,
    max(pattern) FILTER (first_digit = '6') AS phone_6,
    max(pattern) FILTER (first_digit = '7') AS phone_7,
    max(pattern) FILTER (first_digit = '8') AS phone_8,
    max(pattern) FILTER (first_digit = '9') AS phone_9,
    (
        SELECT '^(?:' || string_agg(country || '(?:' || special || ')', '|' ORDER BY country) || ')'
        FROM ref_phone_regions WHERE special IS NOT NULL AND country <> '001'
    ) AS phone_special_national,
    (SELECT '^(?:' || special || ')' FROM ref_phone_regions WHERE country = '001') AS phone_special_abroad,
    (SELECT '^(' || zero_codes || ')0' FROM ref_phone_regions WHERE country = '001') AS phone_zero_codes
FROM ref_phone_patterns
