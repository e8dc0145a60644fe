-- Flags, web addresses and postal codes. Scalar macros over cleaned text.

CREATE OR REPLACE TEMP MACRO read_flag(cell) AS
    CASE
        WHEN regexp_full_match(lower(cell), 'true|t|yes|y|1|1\.0|on|x|✓|✔|ja|j|oui|o|s[ií]|sim|да|opt(?:ed)?[- ]?in|subscribed|granted|given|agreed?|accepted|confirmed|consent(?:ed)?|active') THEN true
        WHEN regexp_full_match(lower(cell), 'false|f|no|n|0|0\.0|off|✗|✘|nein|non|n[aã]o|нет|opt(?:ed)?[- ]?out|unsubscribed|denied|refused|declined|withdrawn|revoked|none|inactive') THEN false
    END;

CREATE OR REPLACE TEMP MACRO without_www(host) AS
    CASE WHEN starts_with(host, 'www.') AND contains(host[5:], '.') THEN host[5:] ELSE host END;

-- The host that an address or a bare domain names, without `www.`; '' where there is none.
CREATE OR REPLACE TEMP MACRO web_host(cell) AS
    CASE
        WHEN regexp_full_match(cell, '(?:https?://)?(?:[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?\.)+[a-z][a-z0-9\-]*[a-z0-9](?:/[^@/][^@]*)?/?')
            THEN without_www(split_part(CASE WHEN starts_with(cell, 'http://') OR starts_with(cell, 'https://') THEN split_part(cell, '//', 2) ELSE cell END, '/', 1))
        -- Not in ASCII, or with a user, a port, capitals: whatever stands between // and the first of / ? # :
        ELSE without_www(rtrim(regexp_extract(lower(cell), '^(?:[a-z][a-z0-9+.\-]*://)?(?:[^/@?# ]*@)?([^/@?#: ]+\.[^/@?#:. ]*[a-z\x{80}-\x{ffff}])\.?(?::\d+)?(?:[/?#].*)?$', 1), '.'))
    END;

-- LinkedIn's own address of a person or company, without tracking and language.
CREATE OR REPLACE TEMP MACRO linkedin_address(cell) AS
    CASE
        WHEN regexp_matches(cell, '(?i)linkedin\.com/.*?(?:in|pub|company|school|showcase|sales/(?:people|lead|company))/[^/?#\s]')
            THEN 'https://www.linkedin.com/' || lower(regexp_extract(cell, '(?i)linkedin\.com/(?:[a-z]{2}/)?((?:in|pub|company|school|showcase|sales/(?:people|lead|company))/[^/?#\s]+)', 1))
        WHEN regexp_full_match(cell, '(?i)/?(?:in|company)/[\w\-%.]+/?') THEN 'https://www.linkedin.com/' || lower(trim(cell, '/'))
        WHEN regexp_full_match(cell, '@?[A-Za-z0-9][A-Za-z0-9\-]{3,98}') THEN 'https://www.linkedin.com/in/' || lower(ltrim(cell, '@'))
    END;

-- A US postal code whose leading zeros a spreadsheet took, in full; null where it is none. `8014`, `601`, `8014-1234`.
CREATE OR REPLACE TEMP MACRO padded_zip(cell) AS
    CASE
        WHEN regexp_full_match(cell, '\d{5}(?:[ -]?\d{4})?(?:\.0)?')
            THEN cell[1:5] || CASE WHEN regexp_full_match(cell, '\d{5}[ -]?\d{4}') THEN '-' || right(cell, 4) ELSE '' END
        WHEN regexp_full_match(cell, '\d{3,4}(?:\.0)?') THEN lpad(split_part(cell, '.', 1), 5, '0')
        WHEN regexp_full_match(cell, '\d{3,4}-\d{4}') THEN lpad(split_part(cell, '-', 1), 5, '0') || '-' || right(cell, 4)
        WHEN regexp_full_match(cell, '\d{7,8}') THEN lpad(left(cell, -4), 5, '0') || '-' || right(cell, 4)
    END;

-- Whether the registrable domain takes a look-up: three labels or more, or not plainly a host's name.
CREATE OR REPLACE TEMP MACRO is_deep_host(host) AS regexp_matches(host, '\..+\.|[^a-z0-9.\-]|^-|-$|-\.|\.-|\.\.');

-- Postal codes of the other countries: lost zeros put back where the code's length is fixed, blanks where they belong.
CREATE OR REPLACE TEMP MACRO tidy_postal_code(cell, country) AS
    CASE
        WHEN country IN ('DE', 'FR', 'IT', 'ES', 'FI') AND regexp_full_match(cell, '\d{4}(?:\.0)?') THEN '0' || cell[1:4]
        WHEN country IN ('AU', 'NO') AND regexp_full_match(cell, '\d{3}(?:\.0)?') THEN '0' || cell[1:3]
        WHEN country = 'CA' AND regexp_full_match(cell, '(?i)[a-z]\d[a-z][ -]?\d[a-z]\d') THEN upper(left(cell, 3) || ' ' || right(cell, 3))
        WHEN country = 'GB' AND regexp_full_match(cell, '(?i)[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}')
            THEN upper(rtrim(left(cell, -3)) || ' ' || right(cell, 3))
        WHEN regexp_full_match(cell, '\d+\.0') THEN left(cell, -2)
        ELSE cell
    END;

CREATE OR REPLACE TEMP MACRO is_postal_code(cell, country) AS
    CASE
        WHEN country IN ('DE', 'FR', 'IT', 'ES', 'FI') THEN regexp_full_match(cell, '(?:[A-Z]{1,2}-)?\d{5}(?: .*)?')
        WHEN country IN ('AU', 'NO', 'DK', 'CH', 'AT', 'BE') THEN regexp_full_match(cell, '(?:[A-Z]{1,2}-)?\d{4}')
        WHEN country = 'CA' THEN regexp_full_match(cell, '[A-Z]\d[A-Z](?: \d[A-Z]\d)?')
        WHEN country = 'GB' THEN regexp_full_match(cell, '(?i)[a-z]{1,2}\d[a-z\d]?(?: \d[a-z]{2})?|GIR 0AA|BFPO.*')
        ELSE strlen(cell) <= 20
    END;
