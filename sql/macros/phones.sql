-- Telephone numbers by libphonenumber's own patterns. Scalar macros; the variables `phone_1` … `phone_9` (by first
-- digit of the calling code), `phone_special_national`, `phone_special_abroad` and `phone_zero_codes` hold the patterns.

-- A spreadsheet's sum or rounded float where a number stood.
CREATE OR REPLACE TEMP MACRO is_phone_damaged(cell) AS
    regexp_full_match(cell, '[-=]\d{1,6}|=.*|\d(?:[.,]\d+)?[eE][+]?\d{1,2}');

-- The first number of the cell without label, extension and a float's `.0`.
CREATE OR REPLACE TEMP MACRO phone_without_extension(cell) AS
    CASE
        WHEN regexp_full_match(cell, '[(]?[+]?[0-9(][0-9 ()\-]*') THEN cell
        ELSE trim(regexp_extract(cell,
            '(?i)^''?\s*(?:(?:tel|phone|ph|mobile|mob|cell|fax|[ptm])\b[.: ]*)?(.*?)(?:\.0|[;, ]*(?:;?ext(?:n|ension)?|x|#|durchwahl|poste)[.:=]?\s*\d{1,7})?(?:\s*(?:[;,|]| or | oder | / ).*)?$', 1))
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
CREATE OR REPLACE TEMP MACRO needs_phone_library(number, digits, abroad, country) AS
    CASE
        WHEN number IS NULL OR strlen(number) > 60 THEN false
        WHEN NOT regexp_full_match(number, '[(]?[+]?[0-9(][0-9 ().\-/]*') THEN regexp_matches(number, '\p{N}.*\p{N}.*\p{N}')
        WHEN abroad IS NOT NULL THEN regexp_matches(abroad, getvariable('phone_special_abroad'))
        WHEN country IS NULL THEN false
        ELSE regexp_matches(country || digits, getvariable('phone_special_national'))
    END;

-- A number written with its calling code; a national prefix behind the code is left out: +44 (0)20.
CREATE OR REPLACE TEMP MACRO number_abroad(abroad) AS
    CASE
        WHEN strlen(abroad) NOT BETWEEN 7 AND 17 THEN NULL
        WHEN is_number(abroad) THEN abroad
        WHEN regexp_matches(abroad, getvariable('phone_zero_codes'))
            THEN regexp_replace(abroad, getvariable('phone_zero_codes'), '\1')
    END;

-- A number as written within its country; one that brings its calling code without a plus is understood as well.
CREATE OR REPLACE TEMP MACRO number_at_home(digits, calling_code, national_prefix) AS
    CASE
        WHEN calling_code IS NULL OR strlen(digits) NOT BETWEEN 4 AND 17 THEN NULL
        WHEN starts_with(digits, national_prefix) AND is_number(calling_code || digits[strlen(national_prefix) + 1:])
            THEN calling_code || digits[strlen(national_prefix) + 1:]
        WHEN is_number(calling_code || digits) THEN calling_code || digits
        WHEN starts_with(digits, calling_code) THEN number_abroad(digits)
    END;
