-- Grain: raw row. Key: lead_id. Inputs: view checked_cells; tables settled_emails, settled_phones, settled_sites,
-- settled_numbers, settled_times; variable zip_states.
-- Every column's value (`v_*`) and what is wrong with the cell (`e_*`, a reason code or null).
WITH numbers AS (
    SELECT
        *,
        CASE WHEN needs_care THEN list_transform([
            {'received': external_id, 'cell': c_external_id, 'is_name': false},
            {'received': lead_source, 'cell': c_lead_source, 'is_name': false},
            {'received': campaign, 'cell': c_campaign, 'is_name': false},
            {'received': job_title, 'cell': c_job_title, 'is_name': false},
            {'received': company_name, 'cell': c_company_name, 'is_name': true},
            {'received': industry, 'cell': c_industry, 'is_name': false},
            {'received': street, 'cell': c_street, 'is_name': false},
            {'received': city, 'cell': c_city, 'is_name': false},
            {'received': product_interest, 'cell': c_product_interest, 'is_name': false},
            {'received': first_name, 'cell': c_first_name, 'is_name': true},
            {'received': last_name, 'cell': c_last_name, 'is_name': true},
            {'received': full_name, 'cell': c_full_name, 'is_name': true}
        ], lambda text: text_fault(text.received, text.cell, CASE WHEN text.is_name THEN is_nameless(text.cell) ELSE is_placeholder(text.cell) END, 500)) END AS text_faults,
        CASE WHEN needs_care THEN list_transform([c_email, c_phone, c_linkedin_url, c_website, c_region, c_postal_code, c_country, c_consent],
            lambda cell: is_placeholder(cell)) END AS nothings,
        email_candidate(c_email) AS email_text,
        CASE WHEN NOT is_phone_damaged(c_phone) THEN phone_without_extension(c_phone) END AS phone_number,
        web_host(c_website) AS host
    FROM checked_cells
),

digits AS (
    SELECT
        *,
        is_usual_email(email_text) AND NOT coalesce(nothings[1], false) AS is_usual_email,
        CASE
            WHEN nothings[2] OR phone_number IS NULL THEN NULL
            WHEN regexp_full_match(phone_number, '[0-9]+') THEN phone_number
            ELSE regexp_replace(phone_number, '[^0-9]+', '', 'g')
        END AS phone_digits
    FROM numbers
),

abroad AS (
    SELECT *, digits_abroad(phone_number, phone_digits, calling_code) AS phone_abroad, is_dummy_number(phone_digits) AS is_dummy_phone
    FROM digits
),

keyed AS (
    SELECT
        *,
        CASE WHEN is_usual_email THEN '' WHEN needs_email_library(email_text) THEN email_text ELSE '' END AS email_key,
        CASE WHEN needs_phone_library(phone_number, phone_digits, phone_abroad, phone_country, calling_code) THEN phone_number ELSE '' END AS phone_key,
        first_reading(phone_digits, phone_abroad, calling_code, national_prefix) AS phone_reading,
        second_reading(phone_digits, phone_abroad, calling_code, national_prefix) AS phone_second,
        CASE WHEN is_deep_host(host) THEN host ELSE '' END AS host_key
    FROM abroad
),

settled AS (
    SELECT
        keyed.*,
        CASE WHEN is_usual_email THEN email_text WHEN email_key <> '' THEN settled_emails.email WHEN is_email(email_text) THEN email_text END AS email_read,
        CASE
            WHEN phone_key <> '' THEN settled_phones.e164
            WHEN phone_reading IS NULL OR is_dummy_phone THEN NULL
            WHEN is_number(phone_reading) THEN '+' || phone_reading
            WHEN is_number(phone_second) THEN '+' || phone_second
        END AS v_phone_e164,
        CASE WHEN host_key <> '' THEN settled_sites.domain WHEN keyed.host <> '' THEN keyed.host END AS v_website
    FROM keyed
    -- Each of these tables holds every key that occurs, and '' for rows that need none: one match a row.
    -- (LEFT keeps the lead as the side that streams; an inner join may be turned round.)
    LEFT JOIN settled_emails ON settled_emails.candidate = keyed.email_key
    LEFT JOIN settled_phones ON settled_phones.number = keyed.phone_key
        AND settled_phones.country = CASE WHEN keyed.phone_key <> '' THEN coalesce(keyed.phone_country, '') ELSE '' END
    LEFT JOIN settled_sites ON settled_sites.host = keyed.host_key
),

amounts AS (
    SELECT
        settled.*,
        coalesce(employee_count_odd.value, CASE WHEN employee_count_odd.received = '' THEN settled.employee_count::DOUBLE END) AS n_employee_count, employee_count_odd.fault AS f_employee_count,
        coalesce(annual_revenue_usd_odd.value, CASE WHEN annual_revenue_usd_odd.received = '' THEN settled.annual_revenue_usd::DOUBLE END) AS n_annual_revenue_usd, annual_revenue_usd_odd.fault AS f_annual_revenue_usd,
        coalesce(budget_usd_odd.value, CASE WHEN budget_usd_odd.received = '' THEN settled.budget_usd::DOUBLE END) AS n_budget_usd, budget_usd_odd.fault AS f_budget_usd,
        coalesce(page_views_count_odd.value, CASE WHEN page_views_count_odd.received = '' THEN settled.page_views_count::DOUBLE END) AS n_page_views_count, page_views_count_odd.fault AS f_page_views_count,
        coalesce(email_opens_count_odd.value, CASE WHEN email_opens_count_odd.received = '' THEN settled.email_opens_count::DOUBLE END) AS n_email_opens_count, email_opens_count_odd.fault AS f_email_opens_count,
        coalesce(form_submissions_count_odd.value, CASE WHEN form_submissions_count_odd.received = '' THEN settled.form_submissions_count::DOUBLE END) AS n_form_submissions_count, form_submissions_count_odd.fault AS f_form_submissions_count,
        coalesce(last_activity_at_odd.moment, CASE WHEN last_activity_at_odd.received = '' THEN settled.last_activity_at::TIMESTAMPTZ END) AS v_last_activity_at, last_activity_at_odd.fault AS e_last_activity_at,
        coalesce(consent_at_odd.moment, CASE WHEN consent_at_odd.received = '' THEN settled.consent_at::TIMESTAMPTZ END) AS v_consent_at, consent_at_odd.fault AS e_consent_at,
        coalesce(created_at_odd.moment, CASE WHEN created_at_odd.received = '' THEN settled.created_at::TIMESTAMPTZ END) AS v_created_at, created_at_odd.fault AS e_created_at,
        -- Which postal codes are read as American: the row says US, or its region is a US state and it names no country.
        CASE WHEN own_country = 'US' OR (c_country IS NULL AND (starts_with(region_code, 'US-') OR (region_code IS NULL AND us_region_code IS NOT NULL)))
            THEN padded_zip(c_postal_code) END AS zip
    FROM settled
    LEFT JOIN settled_numbers AS employee_count_odd ON employee_count_odd.column_name = 'employee_count'
        AND employee_count_odd.received = CASE WHEN settled.employee_count IS NULL OR is_plain_number(settled.employee_count) THEN '' ELSE settled.employee_count END
    LEFT JOIN settled_numbers AS annual_revenue_usd_odd ON annual_revenue_usd_odd.column_name = 'annual_revenue_usd'
        AND annual_revenue_usd_odd.received = CASE WHEN settled.annual_revenue_usd IS NULL OR is_plain_number(settled.annual_revenue_usd) THEN '' ELSE settled.annual_revenue_usd END
    LEFT JOIN settled_numbers AS budget_usd_odd ON budget_usd_odd.column_name = 'budget_usd'
        AND budget_usd_odd.received = CASE WHEN settled.budget_usd IS NULL OR is_plain_number(settled.budget_usd) THEN '' ELSE settled.budget_usd END
    LEFT JOIN settled_numbers AS page_views_count_odd ON page_views_count_odd.column_name = 'page_views_count'
        AND page_views_count_odd.received = CASE WHEN settled.page_views_count IS NULL OR is_plain_number(settled.page_views_count) THEN '' ELSE settled.page_views_count END
    LEFT JOIN settled_numbers AS email_opens_count_odd ON email_opens_count_odd.column_name = 'email_opens_count'
        AND email_opens_count_odd.received = CASE WHEN settled.email_opens_count IS NULL OR is_plain_number(settled.email_opens_count) THEN '' ELSE settled.email_opens_count END
    LEFT JOIN settled_numbers AS form_submissions_count_odd ON form_submissions_count_odd.column_name = 'form_submissions_count'
        AND form_submissions_count_odd.received = CASE WHEN settled.form_submissions_count IS NULL OR is_plain_number(settled.form_submissions_count) THEN '' ELSE settled.form_submissions_count END
    LEFT JOIN settled_times AS last_activity_at_odd ON last_activity_at_odd.column_name = 'last_activity_at'
        AND last_activity_at_odd.received = CASE WHEN settled.last_activity_at IS NULL OR is_plain_time(settled.last_activity_at) THEN '' ELSE settled.last_activity_at END
    LEFT JOIN settled_times AS consent_at_odd ON consent_at_odd.column_name = 'consent_at'
        AND consent_at_odd.received = CASE WHEN settled.consent_at IS NULL OR is_plain_time(settled.consent_at) THEN '' ELSE settled.consent_at END
    LEFT JOIN settled_times AS created_at_odd ON created_at_odd.column_name = 'created_at'
        AND created_at_odd.received = CASE WHEN settled.created_at IS NULL OR is_plain_time(settled.created_at) THEN '' ELSE settled.created_at END
),

zips AS (
    SELECT
        *,
        zip <> c_postal_code AS is_changed_zip,
        CASE WHEN zip <> c_postal_code OR own_country IS NULL
            THEN coalesce(getvariable('zip_states')[left(zip, 3)::INTEGER + 1], []) END AS zip_states
    FROM amounts
),

places AS (
    SELECT
        *,
        CASE
            WHEN c_country IS NOT NULL THEN own_country
            WHEN region_code IS NOT NULL THEN home_country
            WHEN us_region_code IS NOT NULL AND list_contains(zip_states, us_region_code[4:]) THEN 'US'
        END AS v_country
    FROM zips
),

regions AS (
    SELECT
        *,
        CASE WHEN c_country IS NOT NULL AND own_country IS NULL THEN NULL WHEN v_country = 'US' THEN coalesce(region_code, us_region_code)
            ELSE region_code END AS v_region_code
    FROM places
),

codes AS (
    SELECT
        *,
        CASE
            WHEN nothings[6] THEN NULL
            WHEN v_country IS DISTINCT FROM 'US' THEN tidy_postal_code(c_postal_code, v_country)
            WHEN NOT is_changed_zip OR NOT starts_with(zip, '0') OR starts_with(c_postal_code, '0') THEN zip
            WHEN v_region_code IS NULL AND len(zip_states) > 0 THEN zip
            WHEN list_contains(zip_states, v_region_code[4:]) THEN zip
        END AS postal_read
    FROM regions
)

SELECT
    * EXCLUDE (phone_number, phone_abroad, phone_reading, phone_second, host, email_key, phone_key, host_key, zip, zip_states, is_changed_zip),
    coalesce(v_region_code, CASE WHEN nothings[5] THEN NULL ELSE left(c_region, 500) END) AS v_region,
    CASE WHEN v_country = 'US' OR is_postal_code(postal_read, v_country) THEN postal_read END AS v_postal_code,
    CASE WHEN NOT is_placeholder_email(email_read) THEN email_read END AS v_email,
    linkedin_address(c_linkedin_url) AS v_linkedin_url,
    read_flag(c_consent) AS v_consent
FROM codes
