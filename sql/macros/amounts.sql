-- Numbers and money as people write them. Scalar macros over cleaned text; variable `currency_rates`: MAP code → USD.

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
    CASE
        WHEN word IS NULL OR word = '' THEN 1
        WHEN word IN ('k', 'tsd', 'thousand', 'mil', 't') THEN 1e3
        WHEN word IN ('m', 'mm', 'mn', 'mio', 'mln', 'mill', 'million', 'millions', 'millionen', 'millones') THEN 1e6
        WHEN word IN ('b', 'bn', 'bln', 'mrd', 'billion', 'billions', 'milliarden', 'md') THEN 1e9
        WHEN word IN ('lakh', 'lac', 'lakhs') THEN 1e5
        WHEN word IN ('crore', 'crores', 'cr') THEN 1e7
    END;

-- The amount's parts: sign, first number with its multiplier, second one of a range, currency. Null: not an amount.
CREATE OR REPLACE TEMP MACRO amount_parts(cell) AS
    regexp_extract(
        regexp_replace(lower(cell), '[\s''’_]+', '', 'g'),
        '^(\(|-|−)?(?:ca\.?|approx\.?|about|~|≈|>=?|<=?|≥|≤|over|under|upto|morethan|lessthan|atleast)?(\(|-|−)?([a-z]{3}|[a-z]{0,3}\$|dhs?\.?|rs\.?|fr\.?|kr\.?|zł|lei|[€£¥₹₽₩₪₺₫฿₴₦₱₨﷼])?(-|−)?([0-9][0-9.,]*?)(k|tsd\.?|thousand|mil|mm|mn|mio\.?|mln\.?|mill|millions?|millionen|millones|m|bn|bln|mrd\.?|billions?|milliarden|md|b|t|lakhs?|lac|crores?|cr)?(?:\.?[-–—](?:$|[€£])|[,.]-)?(?:(?:-|–|—|to|bis|until|and)(?:[a-z]{3}|[a-z]{0,2}\$|[€£¥₹])?([0-9][0-9.,]*?)(k|tsd\.?|thousand|mil|mm|mn|mio\.?|mln\.?|mill|millions?|millionen|millones|m|bn|bln|mrd\.?|billions?|milliarden|md|b|t|lakhs?|lac|crores?|cr)?)?(?:\+|plus|andmore|ormore)?([a-z]{3}|[a-z]{0,3}\$|euros?|dollars?|pounds?|dhs?\.?|rs\.?|fr\.?|kr\.?|zł|lei|[€£¥₹₽₩₪₺₫฿₴₦₱₨﷼])?(?:\+)?(?:/?(?:peryear|perannum|p\.a\.?|pa|year|yr|annually|employees|employee|emp|people|staff|mitarbeiter|empleados|fte|ftes|users))?\)?$',
        ['sign_1', 'sign_2', 'currency_1', 'sign_3', 'number_1', 'times_1', 'number_2', 'times_2', 'currency_2']);

-- The value of the parts: the middle of a range; negative where it says so; null where a number makes no sense.
CREATE OR REPLACE TEMP MACRO amount_value(parts, has_comma) AS
    CASE WHEN parts.sign_1 <> '' OR parts.sign_2 <> '' OR parts.sign_3 <> '' THEN -1 ELSE 1 END
    * CASE
        WHEN parts.number_1 = '' THEN NULL
        WHEN parts.number_2 = ''
            THEN written_number(parts.number_1, has_comma, parts.times_1 <> '') * multiplier(rtrim(parts.times_1, '.'))
        ELSE (
            written_number(parts.number_1, has_comma, parts.times_1 <> '')
            * multiplier(rtrim(coalesce(nullif(parts.times_1, ''), parts.times_2), '.'))
            + written_number(parts.number_2, has_comma, parts.times_2 <> '') * multiplier(rtrim(parts.times_2, '.'))) / 2
    END;

CREATE OR REPLACE TEMP MACRO currency_code(mark, home) AS
    CASE
        WHEN mark IS NULL OR mark = '' THEN home
        WHEN mark = '$' OR mark IN ('dollar', 'dollars') THEN CASE WHEN home IN ('CAD', 'AUD', 'NZD', 'SGD', 'HKD', 'MXN') THEN home ELSE 'USD' END
        WHEN mark IN ('us$', 'usd$') THEN 'USD'
        WHEN mark IN ('c$', 'ca$', 'can$') THEN 'CAD' WHEN mark IN ('a$', 'au$') THEN 'AUD' WHEN mark = 'nz$' THEN 'NZD'
        WHEN mark IN ('s$', 'sg$') THEN 'SGD' WHEN mark = 'hk$' THEN 'HKD' WHEN mark IN ('mx$', 'mex$') THEN 'MXN'
        WHEN mark = 'r$' THEN 'BRL' WHEN mark IN ('€', 'euro', 'euros') THEN 'EUR' WHEN mark IN ('£', 'pound', 'pounds') THEN 'GBP'
        WHEN mark = '¥' THEN CASE WHEN home = 'CNY' THEN home ELSE 'JPY' END
        WHEN mark IN ('₹', 'rs', 'rs.') THEN 'INR' WHEN mark = '₽' THEN 'RUB' WHEN mark = '₩' THEN 'KRW' WHEN mark = '₪' THEN 'ILS'
        WHEN mark = '₺' THEN 'TRY' WHEN mark = '₫' THEN 'VND' WHEN mark = '฿' THEN 'THB' WHEN mark = '₴' THEN 'UAH'
        WHEN mark = '₦' THEN 'NGN' WHEN mark = '₱' THEN 'PHP' WHEN mark IN ('dh', 'dhs', 'dh.', 'dhs.') THEN 'AED'
        WHEN mark IN ('fr', 'fr.', 'sfr') THEN 'CHF' WHEN mark = 'zł' THEN 'PLN' WHEN mark = 'lei' THEN 'RON'
        WHEN mark IN ('kr', 'kr.') THEN CASE WHEN home IN ('SEK', 'NOK', 'DKK', 'ISK') THEN home ELSE '?' END
        WHEN strlen(mark) = 3 THEN upper(mark)
        ELSE '?'
    END;

-- The cell in US dollars: {value, code}. Value null without a code: no amount.
CREATE OR REPLACE TEMP MACRO read_money(cell, has_comma, home) AS
    list_transform([amount_parts(cell)], lambda parts: {
        'value': amount_value(parts, has_comma),
        'rate': getvariable('currency_rates')[currency_code(coalesce(nullif(parts.currency_1, ''), parts.currency_2), home)]
    })[1];

-- Eleven to fifty came back from a spreadsheet as November 1950.
CREATE OR REPLACE TEMP MACRO damaged_range(cell) AS
    CASE
        WHEN regexp_full_match(cell, '(?i)nov-(?:19)?50|50-nov') THEN 30
        WHEN regexp_full_match(cell, '(?i)(?:0?1-oct|oct-0?1|10-jan|jan-10|oct-01)') THEN 5
        WHEN regexp_full_match(cell, '(?i)(?:0?2-oct|oct-0?2|10-feb|feb-10)') THEN 6
    END;

CREATE OR REPLACE TEMP MACRO is_plain_number(cell) AS
    strlen(cell) <= 15 AND regexp_full_match(cell, '\d+(?:\.0+)?|\d+(?:\.\d+)?[eE][+]?\d{1,2}');

CREATE OR REPLACE TEMP MACRO read_count(cell, has_comma) AS
    list_transform([amount_parts(cell)], lambda parts: CASE
        WHEN parts.currency_1 <> '' OR parts.currency_2 <> '' THEN NULL ELSE amount_value(parts, has_comma) END)[1];

CREATE OR REPLACE TEMP MACRO count_fault(cell, value, most) AS
    CASE
        WHEN cell IS NULL OR value BETWEEN 0 AND most THEN NULL
        WHEN value IS NOT NULL THEN 'out_of_range'
        WHEN is_placeholder(cell) THEN 'placeholder_value'
        ELSE 'invalid_number'
    END;

CREATE OR REPLACE TEMP MACRO money_fault(cell, read) AS
    CASE
        WHEN cell IS NULL OR is_plain_number(cell) OR (read.value BETWEEN 0 AND 1e15 AND read.rate IS NOT NULL) THEN NULL
        WHEN read.value IS NULL AND is_placeholder(cell) THEN 'placeholder_value'
        WHEN read.value IS NULL THEN 'invalid_money'
        WHEN read.value NOT BETWEEN 0 AND 1e15 THEN 'out_of_range'
        ELSE 'unknown_currency'
    END;
