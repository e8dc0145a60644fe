-- Telephone numbers by libphonenumber's own patterns. Scalar macros; the variables `phone_1` … `phone_9` (by first digit
-- of the calling code, for the codes that the batch holds), `phone_special_national`, `phone_special_abroad` and `phone_zero_codes` hold the patterns.

-- A spreadsheet's sum or rounded float where a number stood.
CREATE OR REPLACE TEMP MACRO is_phone_damaged(cell) AS
    regexp_full_match(cell, '[-=]\d{1,6}|=.*|\d(?:[.,]\d+)?[eE][+]?\d{1,2}');

-- Digits that people type to get past a form.
CREATE OR REPLACE TEMP MACRO is_dummy_number(digits) AS
    regexp_full_match(digits, '0+|1{5,}|2{5,}|3{5,}|4{5,}|5{5,}|6{5,}|7{5,}|8{5,}|9{5,}|[01]?1234567(?:89?0?)?');

-- The first number of the cell without label, extension and a float's `.0`.
CREATE OR REPLACE TEMP MACRO phone_without_extension(cell) AS
    CASE
        WHEN regexp_full_match(cell, '[(]?[+]?[0-9(][0-9 ()\-]*') THEN cell
        WHEN regexp_full_match(cell, '\d{7,15}\.0') THEN left(cell, -2)
        ELSE trim(regexp_extract(cell,
            '(?i)^''?\s*(?:(?:tel|phone|ph|mobile|mob|cell|fax|[ptm])\b[.: ]*)?(.*?)(?:[;, ]*(?:;?ext(?:n|ension)?|x|#|durchwahl|poste)[.:=]?\s*\d{1,7})?(?:\s*(?:[;,|]| or | oder | / ).*)?$', 1))
    END;

CREATE OR REPLACE TEMP MACRO phone_extension_of(cell) AS
    CASE
        WHEN regexp_full_match(cell, '[(]?[+]?[0-9(][0-9 ()\-]*') THEN NULL
        ELSE nullif(regexp_extract(cell, '(?i)[0-9)][;, ]*(?:;?ext(?:n|ension)?|x|#|durchwahl|poste)[.:=]?\s*(\d{1,7})\s*(?:(?:[;,|]| or | oder | / ).*)?$', 1), '')
    END;

CREATE OR REPLACE TEMP MACRO has_several_phones(cell) AS
    regexp_matches(cell, '(?i)\d{4}.*(?:[;,|]| or | oder | / ).*\d{3}.?\d{3}');

-- Digits with the calling code if the number says it has one (`+`, `00`, Australia's `0011`, `011` from North America).
CREATE OR REPLACE TEMP MACRO digits_abroad(number, digits, calling_code) AS
    CASE
        WHEN number[1] = '+' OR number[1:2] = '(+' THEN digits
        WHEN digits[1] <> '0' THEN NULL
        WHEN digits[1:4] = '0011' THEN digits[5:]
        WHEN digits[1:2] = '00' THEN digits[3:]
        WHEN digits[1:3] = '011' AND coalesce(calling_code, '1') = '1' THEN digits[4:]
    END;

-- Whether these digits (calling code and national number) are a valid number of any country.
CREATE OR REPLACE TEMP MACRO is_number(digits) AS
    CASE digits[1]
        WHEN '1' THEN regexp_full_match(digits, getvariable('phone_1')) WHEN '2' THEN regexp_full_match(digits, getvariable('phone_2'))
        WHEN '3' THEN regexp_full_match(digits, getvariable('phone_3')) WHEN '4' THEN regexp_full_match(digits, getvariable('phone_4'))
        WHEN '5' THEN regexp_full_match(digits, getvariable('phone_5')) WHEN '6' THEN regexp_full_match(digits, getvariable('phone_6'))
        WHEN '7' THEN regexp_full_match(digits, getvariable('phone_7')) WHEN '8' THEN regexp_full_match(digits, getvariable('phone_8'))
        WHEN '9' THEN regexp_full_match(digits, getvariable('phone_9')) ELSE false
    END;

-- Whether only the library reads it right: letters, other digits than 0-9, or leading digits with a meaning of their own.
CREATE OR REPLACE TEMP MACRO needs_phone_library(number, digits, abroad, country, calling_code) AS
    CASE
        WHEN number IS NULL OR strlen(number) > 60 THEN false
        WHEN NOT regexp_full_match(number, '[(]?[+]?[0-9(][0-9 ().\-/]*') THEN regexp_matches(number, '(?:[0-9\x{660}-\x{669}\x{6f0}-\x{6f9}\x{966}-\x{96f}\x{ff10}-\x{ff19}].*){3}')
        WHEN abroad IS NOT NULL THEN regexp_matches(abroad, getvariable('phone_special_abroad'))
        WHEN country IS NULL THEN false
        WHEN starts_with(digits, calling_code) AND regexp_matches(digits, getvariable('phone_special_abroad')) THEN true
        ELSE regexp_matches(country || digits, getvariable('phone_special_national'))
    END;

-- How the digits are read first: as written abroad, with the calling code but no plus, or at home without the national
-- prefix.
CREATE OR REPLACE TEMP MACRO first_reading(digits, abroad, calling_code, national_prefix) AS
    CASE
        WHEN abroad IS NOT NULL THEN abroad
        WHEN calling_code IS DISTINCT FROM national_prefix AND starts_with(digits, calling_code)
            THEN regexp_replace(digits, getvariable('phone_zero_codes'), '\1')
        WHEN starts_with(digits, national_prefix) THEN calling_code || digits[strlen(national_prefix) + 1:]
        ELSE calling_code || digits
    END;

-- How else they may be meant: with a national prefix behind the calling code, +44 (0)20; or at home although they begin
-- like the calling code or the national prefix.
CREATE OR REPLACE TEMP MACRO second_reading(digits, abroad, calling_code, national_prefix) AS
    CASE
        WHEN abroad IS NOT NULL THEN regexp_replace(abroad, getvariable('phone_zero_codes'), '\1')
        WHEN starts_with(digits, calling_code) OR starts_with(digits, national_prefix) THEN calling_code || digits
    END;
