-- Grain: raw row. Key: lead_id. Inputs: view checked_cells; tables checked_places, settled_emails, settled_phones,
-- settled_sites; variables as_of, time_zone, currency, zip_states and how the file writes dates and numbers.
-- Every column's value (`v_*`) and what is wrong with the cell (`e_*`, a reason code or null).
WITH numbers AS (
    SELECT
        *,
        CASE WHEN NOT (needs_care AND is_placeholder(c_email)) THEN email_candidate(c_email) END AS email_text,
        CASE WHEN NOT (needs_care AND is_placeholder(c_phone)) AND NOT is_phone_damaged(c_phone)
            THEN phone_without_extension(c_phone) END AS phone_number,
        web_host(c_website) AS host
    FROM checked_cells
),

digits AS (SELECT *, regexp_replace(phone_number, '[^0-9]+', '', 'g') AS phone_digits FROM numbers),

abroad AS (SELECT *, digits_abroad(phone_number, phone_digits, calling_code) AS phone_abroad FROM digits),

keyed AS (
    SELECT
        *,
        CASE WHEN needs_email_library(email_text) THEN email_text ELSE '' END AS email_key,
        CASE WHEN needs_phone_library(phone_number, phone_digits, phone_abroad, home_country) THEN phone_number ELSE '' END AS phone_key,
        CASE WHEN is_deep_host(host) THEN host ELSE '' END AS host_key
    FROM abroad
),

settled AS (
    SELECT
        keyed.*,
        CASE WHEN keyed.email_key <> '' THEN settled_emails.email WHEN is_email(email_text) THEN email_text END AS email_read,
        CASE WHEN keyed.phone_key <> '' THEN settled_phones.e164
            ELSE '+' || first_number(number_readings(phone_digits, phone_abroad, calling_code, national_prefix)) END AS v_phone_e164,
        CASE WHEN keyed.host_key <> '' THEN settled_sites.domain ELSE keyed.host END AS v_website
    FROM keyed
    -- Each of the three tables holds every key that occurs, and '' for rows that need none: one match a row.
    JOIN settled_emails ON settled_emails.candidate = keyed.email_key
    JOIN settled_phones ON settled_phones.number = keyed.phone_key
        AND settled_phones.country = CASE WHEN keyed.phone_key <> '' THEN coalesce(keyed.home_country, '') ELSE '' END
    JOIN settled_sites ON settled_sites.host = keyed.host_key
),

amounts AS (
    SELECT
        *,
        text_fault(needs_care, external_id, c_external_id, is_placeholder(c_external_id), 500) AS e_external_id,
        text_fault(needs_care, lead_source, c_lead_source, is_placeholder(c_lead_source), 500) AS e_lead_source,
        text_fault(needs_care, campaign, c_campaign, is_placeholder(c_campaign), 500) AS e_campaign,
        text_fault(needs_care, job_title, c_job_title, is_placeholder(c_job_title), 500) AS e_job_title,
        text_fault(needs_care, company_name, c_company_name, is_nameless(c_company_name), 500) AS e_company_name,
        text_fault(needs_care, industry, c_industry, is_placeholder(c_industry), 500) AS e_industry,
        text_fault(needs_care, street, c_street, is_placeholder(c_street), 500) AS e_street,
        text_fault(needs_care, city, c_city, is_placeholder(c_city), 500) AS e_city,
        text_fault(needs_care, product_interest, c_product_interest, is_placeholder(c_product_interest), 500) AS e_product_interest,
        text_fault(needs_care, message, c_message, is_placeholder(c_message), 20000) AS e_message,
        text_fault(needs_care, first_name, c_first_name, is_nameless(c_first_name), 300) AS e_first_name,
        text_fault(needs_care, last_name, c_last_name, is_nameless(c_last_name), 300) AS e_last_name,
        text_fault(needs_care, full_name, c_full_name, is_nameless(c_full_name), 300) AS e_full_name,
        CASE WHEN is_plain_number(c_employee_count) THEN NULL ELSE read_count(c_employee_count, getvariable('employee_count_comma')) END AS employee_read,
        CASE WHEN is_plain_number(c_annual_revenue_usd) THEN NULL ELSE read_money(c_annual_revenue_usd, getvariable('annual_revenue_usd_comma')) END AS revenue_read,
        CASE WHEN is_plain_number(c_budget_usd) THEN NULL ELSE read_money(c_budget_usd, getvariable('budget_usd_comma')) END AS budget_read,
        time_text(c_last_activity_at, getvariable('last_activity_at_day_first'), getvariable('as_of')) AS iso_last_activity_at,
        time_text(c_consent_at, getvariable('consent_at_day_first'), getvariable('as_of')) AS iso_consent_at,
        time_text(c_created_at, getvariable('created_at_day_first'), getvariable('as_of')) AS iso_created_at,
        -- Which postal codes are read as American: the row says US, or its region is a US state and it names no country.
        CASE WHEN own_country = 'US' OR (c_country IS NULL AND (starts_with(region_code, 'US-') OR (region_code IS NULL AND us_region_code IS NOT NULL)))
            THEN padded_zip(c_postal_code) END AS zip
    FROM settled
),

zips AS (SELECT *, coalesce(getvariable('zip_states')[left(zip, 3)::INTEGER + 1], []) AS zip_states FROM amounts),

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
            ELSE region_code END AS v_region_code,
        regexp_full_match(c_postal_code, '\d{3,4}(?:\.0)?|\d{3,4}-\d{4}|\d{7,8}') AS is_short_zip
    FROM places
),

codes AS (
    SELECT
        *,
        CASE
            WHEN needs_care AND is_placeholder(c_postal_code) THEN NULL
            WHEN v_country IS DISTINCT FROM 'US' THEN tidy_postal_code(c_postal_code, v_country)
            WHEN NOT is_short_zip THEN zip
            WHEN v_region_code IS NULL AND len(zip_states) > 0 THEN zip
            WHEN list_contains(zip_states, v_region_code[4:]) THEN zip
        END AS postal_read
    FROM regions
)

SELECT
    * EXCLUDE (phone_number, phone_abroad, host, email_key, phone_key, host_key, zip, iso_last_activity_at, iso_consent_at, iso_created_at, zip_states, is_short_zip),
    coalesce(v_region_code, CASE WHEN needs_care AND is_placeholder(c_region) THEN NULL ELSE left(c_region, 500) END) AS v_region,
    CASE WHEN v_country = 'US' OR is_postal_code(postal_read, v_country) THEN postal_read END AS v_postal_code,
    CASE WHEN is_plain_number(c_employee_count) THEN c_employee_count::DOUBLE ELSE coalesce(employee_read, damaged_range(c_employee_count)) END AS n_employee_count,
    TRY_CAST(replace(c_page_views_count, ',', '') AS DOUBLE) AS n_page_views_count,
    TRY_CAST(replace(c_email_opens_count, ',', '') AS DOUBLE) AS n_email_opens_count,
    TRY_CAST(replace(c_form_submissions_count, ',', '') AS DOUBLE) AS n_form_submissions_count,
    CASE WHEN is_placeholder_email(email_read) THEN NULL ELSE email_read END AS v_email,
    moment(iso_last_activity_at, getvariable('time_zone')) AS t_last_activity_at,
    moment(iso_consent_at, getvariable('time_zone')) AS t_consent_at,
    moment(iso_created_at, getvariable('time_zone')) AS t_created_at,
    linkedin_address(c_linkedin_url) AS v_linkedin_url,
    read_flag(c_consent) AS v_consent
FROM codes
