-- Dates and times as people and programs write them. Scalar macros over cleaned text.

CREATE OR REPLACE TEMP MACRO is_numeric_date(cell) AS
    regexp_matches(cell, '^\d{1,2}[./\-]\d{1,2}[./\-](?:\d{4}|\d{2})(?:$|[ T,])');

-- Day, month, year and the time behind them; month as a name or, with two numbers, by `day_first` (null: can't tell).
CREATE OR REPLACE TEMP MACRO numeric_date_parts(cell) AS
    regexp_extract(cell, '^(\d{1,2})[./\-](\d{1,2})[./\-](\d{4}|\d{2})[ T,]*(.*)$', ['a', 'b', 'y', 'clock']);

-- The place of a month's first letters in the rows of some languages (en, es, fr, de, it and pt), four letters each.
CREATE OR REPLACE TEMP MACRO month_number(word) AS
    list_transform([strpos('jan feb mar apr may jun jul aug sep oct nov dec ene feb mar abr mai jun jul ago sep okt nov dic '
        || 'gen fev mrz avr mag giu lug aou set ott nov dez ', regexp_replace(left(strip_accents(lower(word)), 3), '^jui$',
        CASE WHEN starts_with(lower(word), 'juil') THEN 'jul' ELSE 'jun' END) || ' ')],
        lambda place: CASE WHEN place > 0 THEN (place - 1) // 4 % 12 + 1 END)[1];

-- Text that a cast understands from the parts; two digits of a year mean the last hundred years.
CREATE OR REPLACE TEMP MACRO iso_text(y, m, d, clock, as_of) AS
    printf('%04d-%02d-%02d', CASE WHEN strlen(y) = 4 THEN y::INT ELSE y::INT + CASE WHEN y::INT <= year(as_of) - 1999 THEN 2000 ELSE 1900 END END, m::INT, d::INT)
    || CASE
        WHEN clock = '' THEN ''
        WHEN regexp_matches(clock, '(?i)[ap]\.?m')
            THEN ' ' || coalesce(strftime(try_strptime(upper(regexp_replace(clock, '[ .]+', '', 'g')), ['%I:%M:%S%p', '%I:%M%p', '%I%p']), '%H:%M:%S'), '?')
        ELSE ' ' || regexp_replace(clock, '(?i) ?uhr$', '')
    END;

CREATE OR REPLACE TEMP MACRO worded_date_text(cell, as_of) AS
    list_transform([CASE
        WHEN regexp_matches(cell, '^(?:[a-zA-Z\x{c0}-\x{17f}]+\.?, ?)?\d')
            THEN regexp_extract(cell, '(?i)^(?:[a-z\x{c0}-\x{17f}]+\.?, ?)?(\d{1,2})(?:st|nd|rd|th|er|\.)?[ \-/]*(?:of |de )?([a-z\x{c0}-\x{17f}]{3,10})\.?[ ,\-/]*(?:de )?(\d{4}|\d{2})[ T,]*(.*)()$', ['d', 'm', 'y', 'clock', 'zone'])
        ELSE {'d': regexp_extract(cell, '(?i)^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?[a-z\x{c0}-\x{17f}]{3,10}\.? *-?(\d{1,2})(?:st|nd|rd|th)?[ ,\-/]', 1),
            'm': regexp_extract(cell, '(?i)^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?([a-z\x{c0}-\x{17f}]{3,10})', 1),
            'y': regexp_extract(cell, '[ ,\-/](\d{4})(?:$|[ T,])', 1), 'clock': regexp_extract(cell, '(?i)\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]\.?m\.?)?', 0),
            'zone': regexp_extract(cell, '(?i) (?:gmt|utc|z)$', 0)}
    END], lambda p: CASE WHEN p.d <> '' AND p.y <> '' AND month_number(p.m) IS NOT NULL THEN iso_text(p.y, month_number(p.m), p.d, p.clock || p.zone, as_of) END)[1];

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
            THEN to_timestamp(cell::DOUBLE / CASE WHEN regexp_full_match(cell, '\d{12,13}') THEN 1000 ELSE 1 END)::VARCHAR
        WHEN regexp_full_match(cell, '[2-7]\d{4}(?:\.\d+)?') THEN (TIMESTAMP '1899-12-30' + to_seconds(round(cell::DOUBLE * 86400)))::VARCHAR
    END;

-- The moment a cell means, as text for `moment`. `day_first`: how the column writes 05/07/2025; null: nobody can know.
CREATE OR REPLACE TEMP MACRO time_text(cell, day_first, as_of) AS
    CASE
        WHEN regexp_matches(cell, '^\d{4}[-/]\d{1,2}[-/]\d{1,2}(?:$|[T ])') THEN cell
        WHEN is_numeric_date(cell) THEN list_transform([numeric_date_parts(cell)], lambda p: CASE
            WHEN p.a = p.b OR p.a::INT > 12 OR (p.b::INT <= 12 AND day_first) THEN iso_text(p.y, p.b, p.a, p.clock, as_of)
            WHEN p.b::INT > 12 OR NOT day_first THEN iso_text(p.y, p.a, p.b, p.clock, as_of) END)[1]
        WHEN regexp_full_match(cell, '\d{4}\.\d{2}\.\d{2}') THEN replace(cell, '.', '-')
        WHEN regexp_full_match(cell, '[\d.]+') THEN numbered_time_text(cell)
        ELSE coalesce(worded_date_text(cell, as_of), relative_time_text(cell, as_of))
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
