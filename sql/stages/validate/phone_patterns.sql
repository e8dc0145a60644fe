-- Grain: one row, a column for each pattern that the phone macros read as a variable.
-- Inputs: ref_phone_patterns (valid numbers by calling code), table checked_codes (what the batch's numbers begin with).
SELECT
    string_agg(pattern, '|' ORDER BY calling_code) FILTER (calling_code[1] = '1') AS phone_1,
    string_agg(pattern, '|' ORDER BY calling_code) FILTER (calling_code[1] = '2') AS phone_2,
    string_agg(pattern, '|' ORDER BY calling_code) FILTER (calling_code[1] = '3') AS phone_3,
    string_agg(pattern, '|' ORDER BY calling_code) FILTER (calling_code[1] = '4') AS phone_4,
    string_agg(pattern, '|' ORDER BY calling_code) FILTER (calling_code[1] = '5') AS phone_5,
    string_agg(pattern, '|' ORDER BY calling_code) FILTER (calling_code[1] = '6') AS phone_6,
    string_agg(pattern, '|' ORDER BY calling_code) FILTER (calling_code[1] = '7') AS phone_7,
    string_agg(pattern, '|' ORDER BY calling_code) FILTER (calling_code[1] = '8') AS phone_8,
    string_agg(pattern, '|' ORDER BY calling_code) FILTER (calling_code[1] = '9') AS phone_9
FROM ref_phone_patterns
WHERE EXISTS (
    FROM checked_codes
    WHERE starts_with(checked_codes.digits, ref_phone_patterns.calling_code)
        OR starts_with(ref_phone_patterns.calling_code, checked_codes.digits)
)
