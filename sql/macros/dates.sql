-- Dates and times as people and programs write them. Scalar macros over cleaned text.

CREATE OR REPLACE TEMP MACRO is_numeric_date(cell) AS
    regexp_matches(cell, '^\d{1,2}[./\-]\d{1,2}[./\-](?:\d{4}|\d{2})(?:$|[ T,])');

-- Two numbers that are day and month in an order to be found out, year, and the time behind them.
CREATE OR REPLACE TEMP MACRO numeric_date_parts(cell) AS
    regexp_extract(cell, '^(\d{1,2})[./\-](\d{1,2})[./\-](\d{4}|\d{2})[ T,]*(.*)$', ['a', 'b', 'y', 'clock']);

-- The place of a month's first letters in the rows of some languages (en, es, fr, de, it and pt), four letters each.
CREATE OR REPLACE TEMP MACRO month_place(word) AS
    strpos('jan feb mar apr may jun jul aug sep oct nov dec ene feb mar abr mai jun jul ago sep okt nov dic '
        || 'gen fev mrz avr mag giu lug aou set ott nov dez ', CASE WHEN starts_with(lower(word), 'juil') THEN 'jul' WHEN starts_with(lower(word), 'jui') THEN 'jun'
        ELSE left(strip_accents(lower(word)), 3) END || ' ');

-- Text that a cast understands from the parts; two digits of a year mean the last hundred years.
CREATE OR REPLACE TEMP MACRO iso_text(y, m, d, clock, as_of) AS
    printf('%04d-%02d-%02d', TRY_CAST(y AS INTEGER) + CASE WHEN strlen(y) = 4 THEN 0 WHEN TRY_CAST(y AS INTEGER) <= year(as_of) - 1999 THEN 2000 ELSE 1900 END,
        TRY_CAST(m AS INTEGER), TRY_CAST(d AS INTEGER))
    || CASE
        WHEN clock = '' THEN ''
        WHEN regexp_matches(clock, '(?i)[ap]\.?m')
            THEN ' ' || coalesce(strftime(try_strptime(upper(regexp_replace(clock, '[ .]+', '', 'g')), ['%I:%M:%S%p', '%I:%M%p', '%I%p']), '%H:%M:%S'), '?')
        ELSE ' ' || regexp_replace(clock, '(?i) ?uhr$', '')
    END;

-- The parts of a date whose month is a word: 19-Mar-2025, 3rd of May 2025 10:00, Wed, 19 Mar 2025 10:00:00 GMT, March 5, 2025.
CREATE OR REPLACE TEMP MACRO worded_date_parts(cell) AS
    CASE
        WHEN regexp_matches(cell, '^(?:[a-zA-Z]+\.?, ?)?\d')
            THEN regexp_extract(cell, '(?i)^(?:[a-z]+\.?, ?)?(\d{1,2})(?:st|nd|rd|th|er|\.)?[ \-/]*(?:of |de )?([a-z\x{c0}-\x{17f}]{3,10})\.?[ ,\-/]*(?:de )?(\d{4}|\d{2})[ T,]*(.*)$', ['a', 'b', 'y', 'clock'])
        ELSE {'a': regexp_extract(cell, '(?i)^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?[a-z\x{c0}-\x{17f}]{3,10}\.? *-?(\d{1,2})(?:st|nd|rd|th)?[ ,\-/]', 1),
            'b': regexp_extract(cell, '(?i)^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?([a-z\x{c0}-\x{17f}]{3,10})', 1),
            'y': regexp_extract(cell, '[ ,\-/](\d{4})(?:$|[ T,])', 1),
            'clock': regexp_extract(cell, '(?i)\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]\.?m\.?)?', 0) || regexp_extract(cell, '(?i) (?:gmt|utc|z)$', 0)}
    END;

-- `3 days ago`, `yesterday`, as the moment before `as_of`, as text.
CREATE OR REPLACE TEMP MACRO relative_time_text(cell, as_of) AS
    CASE
        WHEN regexp_full_match(cell, '(?i)just now|now|today|heute|aujourd.hui|hoy') THEN as_of::VARCHAR
        WHEN regexp_full_match(cell, '(?i)yesterday|gestern|hier|ayer') THEN (as_of - INTERVAL 1 DAY)::VARCHAR
        WHEN regexp_full_match(cell, '(?i)(?:\d{1,5}|an?|one) ?(?:s|sec|second|mins?|minute|h|hrs?|hour|d|day|w|week|mo|month|y|yr|year)s? ago')
            THEN (as_of - coalesce(TRY_CAST(regexp_extract(cell, '\d+') AS INTEGER), 1) * CASE
                left(regexp_extract(lower(cell), '^(?:\d+|an?|one) ?([a-z]+?)s? ago$', 1), 2)
                WHEN 'mi' THEN INTERVAL 1 MINUTE WHEN 'h' THEN INTERVAL 1 HOUR WHEN 'hr' THEN INTERVAL 1 HOUR
                WHEN 'ho' THEN INTERVAL 1 HOUR WHEN 'd' THEN INTERVAL 1 DAY WHEN 'da' THEN INTERVAL 1 DAY
                WHEN 'w' THEN INTERVAL 7 DAY WHEN 'we' THEN INTERVAL 7 DAY WHEN 'mo' THEN INTERVAL 1 MONTH
                WHEN 'y' THEN INTERVAL 1 YEAR WHEN 'yr' THEN INTERVAL 1 YEAR WHEN 'ye' THEN INTERVAL 1 YEAR
                ELSE INTERVAL 1 SECOND END)::VARCHAR
    END;

-- Unix seconds or milliseconds, compact dates and a spreadsheet's serial days, as text.
CREATE OR REPLACE TEMP MACRO numbered_time_text(cell) AS
    CASE
        WHEN regexp_full_match(cell, '(?:19|20)\d{6}') THEN cell[1:4] || '-' || cell[5:6] || '-' || cell[7:8]
        WHEN regexp_full_match(cell, '\d{9,10}(?:\.\d+)?|\d{12,13}')
            THEN to_timestamp(TRY_CAST(cell AS DOUBLE) / CASE WHEN regexp_full_match(cell, '\d{12,13}') THEN 1000 ELSE 1 END)::VARCHAR
        WHEN regexp_full_match(cell, '[2-7]\d{4}(?:\.\d+)?') THEN (TIMESTAMP '1899-12-30' + to_seconds(round(TRY_CAST(cell AS DOUBLE) * 86400)))::VARCHAR
    END;

-- Text with a zone is that moment; text without one is the clock of `zone`.
CREATE OR REPLACE TEMP MACRO moment(iso, zone) AS
    CASE
        WHEN zone = 'UTC' OR regexp_matches(iso, '(?i)\d(?:z|[+\-]\d{2}(?::?\d{2})?| ?utc| ?gmt)$') AND strlen(iso) > 10
            THEN TRY_CAST(regexp_replace(iso, '(?i) ?(?:utc|gmt)$', '+00') AS TIMESTAMPTZ)
        ELSE timezone(zone, TRY_CAST(iso AS TIMESTAMP))
    END;

-- What one value gives away about the order of day and month in its column.
CREATE OR REPLACE TEMP MACRO is_day_first(cell) AS
    regexp_matches(cell, '^\s*(?:1[3-9]|2\d|3[01])[./\-](?:0?[1-9]|1[0-2])[./\-]\d{2}');
CREATE OR REPLACE TEMP MACRO is_month_first(cell) AS
    regexp_matches(cell, '^\s*(?:0?[1-9]|1[0-2])[./\-](?:1[3-9]|2\d|3[01])[./\-]\d{2}');

CREATE OR REPLACE TEMP MACRO time_fault(cell, value, day_first, as_of) AS
    CASE
        WHEN cell IS NULL THEN NULL
        WHEN value BETWEEN TIMESTAMPTZ '1900-01-01 00:00:00+00' AND as_of + INTERVAL 1 DAY THEN NULL
        WHEN value IS NOT NULL THEN 'out_of_range'
        WHEN is_placeholder(cell) THEN 'placeholder_value'
        WHEN day_first IS NULL AND regexp_matches(cell, '^(?:0?[1-9]|1[0-2])[./\-](?:0?[1-9]|1[0-2])[./\-]\d') THEN 'ambiguous_date'
        ELSE 'invalid_date'
    END;

-- ISO 8601 with a zone, or without one in a source that keeps UTC: what needs no more than a cast.
CREATE OR REPLACE TEMP MACRO is_plain_time(cell) AS
    regexp_full_match(cell, '(?:19|20)\d{2}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?Z?)?')
    AND (getvariable('time_zone') = 'UTC' OR ends_with(cell, 'Z')) AND coalesce(TRY_CAST(cell AS TIMESTAMPTZ) <= getvariable('as_of'), false);
