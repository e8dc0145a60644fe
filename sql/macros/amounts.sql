-- Numbers and money as people write them. Scalar macros over cleaned text; variable `currency_rates`: MAP of what
-- stands beside an amount ('' for nothing) to US dollars.

-- Whether the column's numbers use a decimal comma is decided per file: these tell what one value gives away.
CREATE OR REPLACE TEMP MACRO shows_decimal_comma(cell) AS
    regexp_matches(cell, '\d,\d{1,2}(?:$|[^\d,.])|\d\.\d{3},\d|\d\.\d{3}\.\d{3}');
CREATE OR REPLACE TEMP MACRO shows_decimal_point(cell) AS
    regexp_matches(cell, '\d\.\d{1,2}(?:$|[^\d,.])|\d,\d{3}\.\d|\d,\d{3},\d{3}');

-- One written number (digits, points, commas) as a DOUBLE. `thousandfold`: a multiplier stands behind it (1.234 M).
CREATE OR REPLACE TEMP MACRO written_number(digits, has_comma, thousandfold) AS
    TRY_CAST(CASE
        WHEN regexp_full_match(digits, '\d+') THEN digits
        WHEN regexp_full_match(digits, '\d{1,3}(?:,\d{3})+\.\d*|\d{1,2}(?:,\d{2})*,\d{3}\.\d*') THEN replace(digits, ',', '')
        WHEN regexp_full_match(digits, '\d{1,3}(?:\.\d{3})+,\d*') THEN replace(replace(digits, '.', ''), ',', '.')
        WHEN regexp_full_match(digits, '\d{1,3},\d{3}') AND thousandfold AND has_comma THEN replace(digits, ',', '.')
        WHEN regexp_full_match(digits, '\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})+,\d{3}') THEN replace(digits, ',', '')
        WHEN regexp_full_match(digits, '[1-9]\d{0,2}\.\d{3}') AND (NOT thousandfold OR has_comma) THEN replace(digits, '.', '')
        WHEN regexp_full_match(digits, '\d{1,3}(?:\.\d{3}){2,}') THEN replace(digits, '.', '')
        WHEN regexp_full_match(digits, '\d*,\d+') THEN replace(digits, ',', '.')
        WHEN regexp_full_match(digits, '\d*\.\d+|\d+\.') THEN digits
    END AS DOUBLE);

CREATE OR REPLACE TEMP MACRO multiplier(word) AS
    MAP {'': 1, 'k': 1e3, 'tsd': 1e3, 'thousand': 1e3, 'mil': 1e3, 't': 1e3,
         'm': 1e6, 'mm': 1e6, 'mn': 1e6, 'mio': 1e6, 'mln': 1e6, 'mill': 1e6, 'million': 1e6, 'millions': 1e6, 'millionen': 1e6,
         'millones': 1e6, 'b': 1e9, 'bn': 1e9, 'bln': 1e9, 'mrd': 1e9, 'billion': 1e9, 'billions': 1e9, 'milliarden': 1e9,
         'md': 1e9, 'lakh': 1e5, 'lakhs': 1e5, 'lac': 1e5, 'crore': 1e7, 'crores': 1e7, 'cr': 1e7}[rtrim(word, '.')];

-- The amount's parts: sign, first number with its multiplier, second one of a range, currency. Null: not an amount.
CREATE OR REPLACE TEMP MACRO amount_parts(cell) AS
    regexp_extract(
        regexp_replace(lower(cell), '[\s''’_]+', '', 'g'),
        '^(\(|-|−)?(?:ca\.?|approx\.?|about|~|≈|>=?|<=?|≥|≤|over|under|upto|morethan|lessthan|atleast)?(\(|-|−)?([a-z]{3}|[a-z]{0,3}\$|dhs?\.?|rs\.?|fr\.?|kr\.?|zł|lei|[€£¥₹₽₩₪₺₫฿₴₦₱₨﷼])?(-|−)?([0-9][0-9.,]*?)(k|tsd\.?|thousand|millionen|millones|millions?|milliarden|mill|mil|mio\.?|mln\.?|mm|mn|md|mrd\.?|m|billions?|bln|bn|b|t|lakhs?|lac|crores?|cr)?(?:\.?[-–—](?:$|[€£])|[,.]-)?(?:(?:-|–|—|to|bis|until|and)(?:[a-z]{3}|[a-z]{0,2}\$|[€£¥₹])?([0-9][0-9.,]*?)(k|tsd\.?|thousand|millionen|millones|millions?|milliarden|mill|mil|mio\.?|mln\.?|mm|mn|md|mrd\.?|m|billions?|bln|bn|b|t|lakhs?|lac|crores?|cr)?)?(?:\+|plus|andmore|ormore)?([a-z]{3}|[a-z]{0,3}\$|euros?|dollars?|pounds?|dhs?\.?|rs\.?|fr\.?|kr\.?|zł|lei|[€£¥₹₽₩₪₺₫฿₴₦₱₨﷼])?(?:\+)?(?:/?(?:peryear|perannum|p\.a\.?|pa|year|yr|annually|employees|employee|emp|people|staff|mitarbeiter|empleados|fte|ftes|users))?\)?$',
        ['sign_1', 'sign_2', 'currency_1', 'sign_3', 'number_1', 'times_1', 'number_2', 'times_2', 'currency_2']);

-- Eleven to fifty came back from a spreadsheet as November 1950.
CREATE OR REPLACE TEMP MACRO damaged_range(cell) AS
    CASE
        WHEN regexp_full_match(cell, '(?i)nov-(?:19)?50|50-nov') THEN 30
        WHEN regexp_full_match(cell, '(?i)(?:0?1-oct|oct-0?1|10-jan|jan-10|oct-01)') THEN 5
        WHEN regexp_full_match(cell, '(?i)(?:0?2-oct|oct-0?2|10-feb|feb-10)') THEN 6
    END;

-- Digits as programs write them; the value needs no more than a cast.
CREATE OR REPLACE TEMP MACRO is_plain_number(cell) AS
    strlen(cell) <= 15 AND regexp_full_match(cell, '\d+(?:\.0+)?|\d+(?:\.\d+)?[eE][+]?\d{1,2}');
