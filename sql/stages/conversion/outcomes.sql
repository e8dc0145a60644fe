-- Each line of an outcomes file, read: reference, result, date, revenue, and what is wrong with it.
-- grain: one row per line; key: row_number
-- inputs: outcome_rows (row_number, line_number, read_error_code, lead_id, external_id, email, source, outcome, closed_at,
--         revenue: text)
-- variables: outcome_words (list of word, result, is_bounced), outcome_as_of, outcome_day_first, currency_rates
WITH
words AS (SELECT unnest(getvariable('outcome_words'), recursive := true)),
cells AS (
    SELECT
        row_number, line_number, read_error_code,
        clean_cell(lead_id) AS lead_id, clean_cell(external_id) AS external_id, lower(clean_cell(email)) AS email,
        clean_cell(source) AS source, clean_cell(outcome) AS outcome, clean_cell(closed_at) AS closed_text,
        clean_cell(revenue) AS revenue_text,
        amount_parts(revenue_text) AS written
    FROM outcome_rows
),
habits AS (
    SELECT
        CASE WHEN bool_or(is_day_first(closed_text)) AND NOT bool_or(is_month_first(closed_text)) THEN true
             WHEN bool_or(is_month_first(closed_text)) AND NOT bool_or(is_day_first(closed_text)) THEN false
             ELSE getvariable('outcome_day_first')::BOOLEAN END AS day_first,
        coalesce(count(*) FILTER (shows_decimal_comma(revenue_text))
            > count(*) FILTER (shows_decimal_point(revenue_text)), false) AS has_comma,
        getvariable('outcome_as_of')::TIMESTAMPTZ AS as_of
    FROM cells
),
split AS (
    SELECT
        c.*, h.*, w.result, coalesce(w.is_bounced, false) AS is_bounced,
        TRY_CAST(c.lead_id AS UUID) AS lead_uuid,
        coalesce(CASE WHEN lead_uuid IS NULL THEN c.lead_id END, c.external_id) AS known_external_id,
        is_numeric_date(c.closed_text) AS is_numeric,
        CASE WHEN is_numeric THEN numeric_date_parts(c.closed_text)
             WHEN NOT regexp_matches(c.closed_text, '^(?:\d{4}[-/]|[\d.]+$)') THEN worded_date_parts(c.closed_text)
        END AS dated
    FROM cells AS c
    CROSS JOIN habits AS h
    LEFT JOIN words AS w ON w.word = regexp_replace(strip_accents(lower(c.outcome)), '[^a-z0-9]+', '', 'g')
),
ordered AS (
    SELECT
        *,
        CASE WHEN split.dated.a = split.dated.b OR TRY_CAST(split.dated.a AS INTEGER) > 12 THEN true
             WHEN TRY_CAST(split.dated.b AS INTEGER) > 12 THEN false
             ELSE day_first END AS begins_with_day,
        CASE WHEN NOT is_numeric AND split.dated.a <> '' AND split.dated.y <> '' THEN month_place(split.dated.b) END
            AS month_at,
        written_number(split.written.number_1, has_comma, split.written.times_1 <> '')
            * multiplier(split.written.times_1)
            * CASE WHEN split.written.sign_1 || split.written.sign_2 || split.written.sign_3 <> '' THEN -1 ELSE 1 END
            AS amount,
        getvariable('currency_rates')[coalesce(nullif(split.written.currency_1, ''), split.written.currency_2)]
            AS usd_rate
    FROM split
),
read AS (
    SELECT
        *,
        moment(CASE
            WHEN is_numeric AND begins_with_day
                THEN iso_text(ordered.dated.y, ordered.dated.b, ordered.dated.a, ordered.dated.clock, as_of)
            WHEN is_numeric AND NOT begins_with_day
                THEN iso_text(ordered.dated.y, ordered.dated.a, ordered.dated.b, ordered.dated.clock, as_of)
            WHEN is_numeric THEN NULL
            WHEN month_at > 0 THEN iso_text(ordered.dated.y, ((month_at - 1) // 4 % 12 + 1)::VARCHAR, ordered.dated.a,
                ordered.dated.clock, as_of)
            WHEN regexp_full_match(closed_text, '\d{4}\.\d{2}\.\d{2}') THEN replace(closed_text, '.', '-')
            WHEN regexp_full_match(closed_text, '[\d.]+') THEN numbered_time_text(closed_text)
            WHEN regexp_matches(closed_text, '^\d{4}[-/]') THEN closed_text
            ELSE relative_time_text(closed_text, as_of)
        END, 'UTC') AS closed_moment
    FROM ordered
)
SELECT
    row_number, line_number,
    CASE WHEN lead_uuid IS NOT NULL THEN 'lead_id' WHEN known_external_id IS NOT NULL THEN 'external_id'
         WHEN read.email LIKE '%_@_%' THEN 'email' END AS reference_kind,
    CASE reference_kind WHEN 'lead_id' THEN lead_uuid::VARCHAR WHEN 'external_id' THEN known_external_id
         WHEN 'email' THEN read.email END AS reference_value,
    CASE WHEN reference_kind = 'external_id' THEN source END AS reference_source,
    CASE WHEN read.email LIKE '%_@_%' THEN read.email END AS email,
    result, is_bounced, outcome,
    coalesce(closed_moment, as_of) AS closed_at, closed_text,
    CASE WHEN amount BETWEEN 0 AND 1e15 THEN round(amount * usd_rate, 2) END AS revenue_usd, revenue_text,
    CASE
        WHEN read_error_code IS NOT NULL THEN read_error_code
        WHEN reference_kind IS NULL THEN 'no_reference'
        WHEN result IS NULL THEN 'unknown_outcome'
        WHEN result = 'open' THEN 'outcome_open'
        WHEN closed_text IS NULL OR is_placeholder(closed_text) THEN NULL
        WHEN closed_moment BETWEEN TIMESTAMPTZ '1900-01-01 00:00:00+00'
            AND as_of + INTERVAL 1 DAY THEN NULL
        WHEN closed_moment IS NOT NULL THEN 'out_of_range'
        WHEN day_first IS NULL AND is_numeric_date(closed_text) THEN 'ambiguous_date'
        ELSE 'invalid_date'
    END AS fault,
    CASE
        WHEN revenue_text IS NULL OR revenue_usd IS NOT NULL OR is_placeholder(revenue_text) THEN NULL
        WHEN amount IS NULL THEN 'invalid_money'
        WHEN amount NOT BETWEEN 0 AND 1e15 THEN 'out_of_range'
        ELSE 'unknown_currency'
    END AS revenue_fault,
    fault IS NULL AND row_number <> arg_max(row_number, (closed_at, row_number)) FILTER (fault IS NULL)
        OVER (PARTITION BY reference_kind, reference_value, reference_source) AS is_superseded
FROM read
