-- Dates and times as people and programs write them. Scalar macros over cleaned text.

CREATE OR REPLACE TEMP MACRO is_numeric_date(cell) AS
    regexp_matches(cell, '^\d{1,2}[./\-]\d{1,2}[./\-](?:\d{4}|\d{2})(?:$|[ T,])');

-- Day, month, year and the time behind them; month as a name or, with two numbers, by `day_first` (null: can't tell).
CREATE OR REPLACE TEMP MACRO numeric_date_parts(cell) AS
    regexp_extract(cell, '^(\d{1,2})[./\-](\d{1,2})[./\-](\d{4}|\d{2})[ T,]*(.*)$', ['a', 'b', 'y', 'clock']);

CREATE OR REPLACE TEMP MACRO month_number(word) AS
    MAP {'jan': 1, 'ene': 1, 'gen': 1, 'feb': 2, 'fév': 2, 'fev': 2, 'mar': 3, 'mär': 3, 'mrz': 3, 'apr': 4, 'avr': 4, 'abr': 4,
         'may': 5, 'mai': 5, 'mag': 5, 'mei': 5, 'jun': 6, 'giu': 6, 'jul': 7, 'lug': 7, 'aug': 8, 'ago': 8, 'aoû': 8, 'sep': 9,
         'set': 9, 'oct': 10, 'okt': 10, 'ott': 10, 'out': 10, 'nov': 11, 'dec': 12, 'dez': 12, 'déc': 12, 'dic': 12}[
        CASE lower(word) WHEN 'juin' THEN 'jun' WHEN 'juillet' THEN 'jul' WHEN 'juil' THEN 'jul' ELSE lower(word)[1:3] END];

-- Text that a cast understands from the parts; two digits of a year mean the last hundred years.
CREATE OR REPLACE TEMP MACRO iso_text(y, m, d, clock, as_of) AS
    printf('%04d-%02d-%02d', CASE WHEN y::INT >= 100 THEN y::INT
        WHEN 2000 + y::INT <= year(as_of) + 1 THEN 2000 + y::INT ELSE 1900 + y::INT END, m::INT, d::INT)
    || CASE
        WHEN clock IS NULL OR clock = '' THEN ''
        WHEN regexp_matches(clock, '(?i)[ap]\.?m')
            THEN coalesce(strftime(try_strptime(upper(replace(replace(clock, ' ', ''), '.', '')), ['%I:%M:%S%p', '%I:%M%p', '%I%p']), ' %H:%M:%S'), ' ?')
        ELSE ' ' || regexp_replace(regexp_replace(clock, '(?i) ?(?:gmt|utc)$', '+00'), '(?i) ?uhr$', '')
    END;

CREATE OR REPLACE TEMP MACRO worded_date_text(cell, as_of) AS
    CASE
        WHEN regexp_matches(cell, '^(?:\pL+\.?, ?)?\d')
            THEN list_transform([regexp_extract(cell, '(?i)^(?:\pL+\.?, ?)?(\d{1,2})(?:st|nd|rd|th|er|\.)?[ \-/]*(?:of |de )?(\pL{3,10})\.?[ ,\-/]*(?:de )?(\d{4}|\d{2})[ T,]*(.*)$', ['d', 'm', 'y', 'clock'])],
                lambda p: CASE WHEN p.d <> '' THEN iso_text(p.y, month_number(p.m), p.d, p.clock, as_of) END)[1]
        ELSE list_transform([regexp_extract(cell, '(?i)^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?(\pL{3,10})\.? *-?(\d{1,2})(?:st|nd|rd|th)?[ ,\-/]+(?:(\d{1,2}:\d{2}(?::\d{2})?) )?(\d{4})[ T,]*(?:at )?(.*)$', ['m', 'd', 'clock_1', 'y', 'clock'])],
                lambda p: CASE WHEN p.d <> '' THEN iso_text(p.y, month_number(p.m), p.d, coalesce(nullif(p.clock_1, ''), p.clock), as_of) END)[1]
    END;

-- `3 days ago`, `yesterday`, as the moment before `as_of`.
CREATE OR REPLACE TEMP MACRO relative_time(cell, as_of) AS
    CASE
        WHEN regexp_full_match(lower(cell), 'just now|now|today|heute|aujourd.hui|hoy') THEN as_of
        WHEN regexp_full_match(lower(cell), 'yesterday|gestern|hier|ayer') THEN as_of - INTERVAL 1 DAY
        WHEN regexp_full_match(lower(cell), '(?:\d{1,5}|an?|one) ?(?:s|sec|second|mins?|minute|h|hrs?|hour|d|day|w|week|mo|month|y|yr|year)s? ago')
            THEN list_transform([regexp_extract(lower(cell), '^(\d+|an?|one) ?([a-z]+?)s? ago$', ['n', 'unit'])],
                lambda p: as_of - coalesce(TRY_CAST(p.n AS INTEGER), 1) * CASE
                    WHEN p.unit IN ('s', '', 'sec', 'second') THEN INTERVAL 1 SECOND WHEN p.unit IN ('min', 'minute') THEN INTERVAL 1 MINUTE
                    WHEN p.unit IN ('h', 'hr', 'hour') THEN INTERVAL 1 HOUR WHEN p.unit IN ('d', 'day') THEN INTERVAL 1 DAY
                    WHEN p.unit IN ('w', 'week') THEN INTERVAL 7 DAY WHEN p.unit IN ('mo', 'month') THEN INTERVAL 1 MONTH
                    ELSE INTERVAL 1 YEAR END)[1]
    END;

-- Text with a zone is that moment; text without one is the clock of `zone`.
CREATE OR REPLACE TEMP MACRO moment(iso, zone) AS
    CASE
        WHEN zone = 'UTC' OR regexp_matches(iso, '(?i)\d(?:z|[+\-]\d{2}(?::?\d{2})?| ?utc| ?gmt)$') AND strlen(iso) > 10
            THEN TRY_CAST(regexp_replace(iso, '(?i) ?(?:utc|gmt)$', '+00') AS TIMESTAMPTZ)
        ELSE timezone(zone, TRY_CAST(iso AS TIMESTAMP))
    END;

-- Unix seconds or milliseconds, compact dates and a spreadsheet's serial days.
CREATE OR REPLACE TEMP MACRO numbered_time(cell, zone) AS
    CASE
        WHEN regexp_full_match(cell, '(?:19|20)\d{6}') THEN moment(cell[1:4] || '-' || cell[5:6] || '-' || cell[7:8], zone)
        WHEN regexp_full_match(cell, '\d{9,10}(?:\.\d+)?') THEN to_timestamp(cell::DOUBLE)
        WHEN regexp_full_match(cell, '\d{12,13}') THEN to_timestamp(cell::DOUBLE / 1000)
        WHEN regexp_full_match(cell, '[2-7]\d{4}(?:\.\d+)?')
            THEN timezone(zone, TIMESTAMP '1899-12-30' + to_seconds(round(cell::DOUBLE * 86400)))
    END;

-- The moment a cell means. `day_first`: how the column writes 05/07/2025; null: that can't be known.
CREATE OR REPLACE TEMP MACRO read_time(cell, day_first, zone, as_of) AS
    CASE
        WHEN regexp_matches(cell, '^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:$|[T ])') THEN moment(CASE WHEN cell[5] = '.' THEN replace(cell[1:10], '.', '-') || cell[11:] ELSE cell END, zone)
        WHEN is_numeric_date(cell) THEN list_transform([numeric_date_parts(cell)], lambda p: CASE
            WHEN p.a = p.b OR p.a::INT > 12 OR (p.b::INT <= 12 AND day_first) THEN moment(iso_text(p.y, p.b, p.a, p.clock, as_of), zone)
            WHEN p.b::INT > 12 OR NOT day_first THEN moment(iso_text(p.y, p.a, p.b, p.clock, as_of), zone) END)[1]
        WHEN regexp_full_match(cell, '[\d.]+') THEN numbered_time(cell, zone)
        ELSE coalesce(moment(worded_date_text(cell, as_of), zone), relative_time(cell, as_of))
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
