-- Grain: raw row. Inputs: view raw; tables checked_cells, checked_places, settled_emails, settled_phones, settled_sites,
-- settled_numbers, settled_times. Columns: the lead's values by their names, and `e_*`: what is wrong with a cell (a
-- reason code or null).
WITH located AS (
    SELECT
        raw AS received, cells,
        place.country, place.region, place.postal_code, place.e_country, place.e_region, place.e_postal_code,
        place.phone_country, place.calling_code, place.national_prefix, place.names_no_country,
        cell_of(cells, 'email', raw.email) AS c_email,
        cell_of(cells, 'phone', raw.phone) AS c_phone,
        cell_of(cells, 'website', raw.website) AS c_website,
        cell_of(cells, 'linkedin_url', raw.linkedin_url) AS c_linkedin_url,
        cell_of(cells, 'consent', raw.consent) AS c_consent,
        clean_lines(raw.message) AS c_message,
        kept_of(cells, 'first_name', raw.first_name) AS first_name,
        kept_of(cells, 'last_name', raw.last_name) AS last_name,
        kept_of(cells, 'full_name', raw.full_name) AS full_name
    FROM raw
    LEFT JOIN checked_cells ON checked_cells.row_number = raw.row_number
    -- Every combination is in the table once, so no row is lost or doubled.
    LEFT JOIN checked_places AS place
        ON place.country_received = coalesce(raw.country, '') AND place.region_received = coalesce(raw.region, '')
        AND place.postal_code_received = coalesce(raw.postal_code, '')
),

stripped AS (
    SELECT
        * REPLACE (
            cased_name(first_name) AS first_name,
            cased_family_name(last_name) AS last_name,
            cased_name(full_name) AS full_name
        ),
        email_candidate(c_email) AS email_text,
        CASE WHEN NOT is_phone_damaged(c_phone) THEN phone_without_extension(c_phone) END AS phone_number,
        web_host(c_website) AS host
    FROM located
),

digits AS (
    SELECT
        * EXCLUDE (phone_number),
        is_usual_email(email_text) AND fault_of(cells, 'email') IS DISTINCT FROM 'placeholder_value' AS is_usual_email,
        CASE WHEN fault_of(cells, 'phone') IS DISTINCT FROM 'placeholder_value' THEN phone_number END AS phone_number,
        CASE
            WHEN fault_of(cells, 'phone') = 'placeholder_value' OR phone_number IS NULL THEN NULL
            WHEN regexp_full_match(phone_number, '[0-9]+') THEN phone_number
            ELSE regexp_replace(phone_number, '[^0-9]+', '', 'g')
        END AS phone_digits,
        CASE WHEN full_name IS NOT NULL AND (first_name IS NULL OR last_name IS NULL) THEN bare_name(full_name) END AS bare
    FROM stripped
),

abroad AS (
    SELECT
        * EXCLUDE (bare) REPLACE (
            CASE WHEN bare IS NULL OR first_name IS NOT NULL THEN first_name
                WHEN last_name IS NULL OR lower(family_name(bare)) = lower(last_name) THEN given_name(bare) END AS first_name,
            CASE WHEN bare IS NULL OR last_name IS NOT NULL THEN last_name
                WHEN first_name IS NULL OR starts_with(lower(bare), lower(first_name) || ' ') THEN family_name(bare) END AS last_name,
            CASE WHEN full_name IS NULL AND first_name IS NOT NULL AND last_name IS NOT NULL THEN first_name || ' ' || last_name
                ELSE full_name END AS full_name
        ),
        digits_abroad(phone_number, phone_digits, calling_code) AS phone_abroad,
        is_dummy_number(phone_digits) AS is_dummy_phone
    FROM digits
),

keyed AS (
    SELECT
        * EXCLUDE (phone_number, phone_abroad, calling_code, national_prefix),
        CASE WHEN is_usual_email THEN '' WHEN needs_email_library(email_text) THEN email_text ELSE '' END AS email_key,
        CASE WHEN needs_phone_library(phone_number, phone_digits, phone_abroad, phone_country, calling_code) THEN phone_number ELSE '' END AS phone_key,
        first_reading(phone_digits, phone_abroad, calling_code, national_prefix) AS phone_reading,
        second_reading(phone_digits, phone_abroad, calling_code, national_prefix) AS phone_second,
        CASE WHEN is_deep_host(host) THEN host ELSE '' END AS host_key,
        CASE WHEN received.employee_count IS NULL OR is_plain_number(received.employee_count) THEN '' ELSE received.employee_count END AS employee_count_key,
        CASE WHEN received.annual_revenue_usd IS NULL OR is_plain_number(received.annual_revenue_usd) THEN '' ELSE received.annual_revenue_usd END AS annual_revenue_usd_key,
        CASE WHEN received.budget_usd IS NULL OR is_plain_number(received.budget_usd) THEN '' ELSE received.budget_usd END AS budget_usd_key,
        CASE WHEN received.last_activity_at IS NULL OR is_plain_time(received.last_activity_at) THEN '' ELSE received.last_activity_at END AS last_activity_at_key,
        CASE WHEN received.consent_at IS NULL OR is_plain_time(received.consent_at) THEN '' ELSE received.consent_at END AS consent_at_key,
        CASE WHEN received.created_at IS NULL OR is_plain_time(received.created_at) THEN '' ELSE received.created_at END AS created_at_key
    FROM abroad
),

settled AS (
    SELECT
        keyed.* EXCLUDE (email_text, phone_reading, phone_second, host, host_key, employee_count_key, annual_revenue_usd_key, budget_usd_key, last_activity_at_key, consent_at_key, created_at_key),
        CASE WHEN is_usual_email THEN email_text WHEN email_key <> '' THEN settled_emails.email WHEN is_email(email_text) THEN email_text END AS email_read,
        CASE
            WHEN phone_key <> '' THEN settled_phones.e164
            WHEN phone_reading IS NULL OR is_dummy_phone THEN NULL
            WHEN is_number(phone_reading) THEN '+' || phone_reading
            WHEN is_number(phone_second) THEN '+' || phone_second
        END AS phone_e164,
        CASE WHEN host_key <> '' THEN settled_sites.domain WHEN keyed.host <> '' THEN keyed.host END AS website,
        employee_count_odd.fault AS e_employee_count, CASE WHEN employee_count_key <> '' THEN employee_count_odd.value ELSE TRY_CAST(keyed.received.employee_count AS DOUBLE) END AS employee_count,
        annual_revenue_usd_odd.fault AS e_annual_revenue_usd, CASE WHEN annual_revenue_usd_key <> '' THEN annual_revenue_usd_odd.value ELSE round(TRY_CAST(keyed.received.annual_revenue_usd AS DOUBLE) * getvariable('home_rate'), 2) END AS annual_revenue_usd,
        budget_usd_odd.fault AS e_budget_usd, CASE WHEN budget_usd_key <> '' THEN budget_usd_odd.value ELSE round(TRY_CAST(keyed.received.budget_usd AS DOUBLE) * getvariable('home_rate'), 2) END AS budget_usd,
        last_activity_at_odd.fault AS e_last_activity_at, CASE WHEN last_activity_at_key <> '' THEN last_activity_at_odd.moment ELSE TRY_CAST(keyed.received.last_activity_at AS TIMESTAMPTZ) END AS last_activity_at,
        consent_at_odd.fault AS e_consent_at, CASE WHEN consent_at_key <> '' THEN consent_at_odd.moment ELSE TRY_CAST(keyed.received.consent_at AS TIMESTAMPTZ) END AS consent_at,
        created_at_odd.fault AS e_created_at, CASE WHEN created_at_key <> '' THEN created_at_odd.moment ELSE TRY_CAST(keyed.received.created_at AS TIMESTAMPTZ) END AS created_at
    FROM keyed
    -- Each of these tables holds every key that occurs, and '' for rows that need none: one match a row.
    -- (LEFT keeps the lead as the side that streams; an inner join may be turned round.)
    LEFT JOIN settled_emails ON settled_emails.candidate = keyed.email_key
    LEFT JOIN settled_phones ON settled_phones.number = keyed.phone_key
        AND settled_phones.country = CASE WHEN keyed.phone_key <> '' THEN coalesce(keyed.phone_country, '') ELSE '' END
    LEFT JOIN settled_sites ON settled_sites.host = keyed.host_key
    LEFT JOIN settled_numbers AS employee_count_odd ON employee_count_odd.column_name = 'employee_count' AND employee_count_odd.received = keyed.employee_count_key
    LEFT JOIN settled_numbers AS annual_revenue_usd_odd ON annual_revenue_usd_odd.column_name = 'annual_revenue_usd' AND annual_revenue_usd_odd.received = keyed.annual_revenue_usd_key
    LEFT JOIN settled_numbers AS budget_usd_odd ON budget_usd_odd.column_name = 'budget_usd' AND budget_usd_odd.received = keyed.budget_usd_key
    LEFT JOIN settled_times AS last_activity_at_odd ON last_activity_at_odd.column_name = 'last_activity_at' AND last_activity_at_odd.received = keyed.last_activity_at_key
    LEFT JOIN settled_times AS consent_at_odd ON consent_at_odd.column_name = 'consent_at' AND consent_at_odd.received = keyed.consent_at_key
    LEFT JOIN settled_times AS created_at_odd ON created_at_odd.column_name = 'created_at' AND created_at_odd.received = keyed.created_at_key
)

SELECT
    * EXCLUDE (c_email, c_website, email_read, email_key, is_usual_email, phone_digits, is_dummy_phone, phone_country, names_no_country)
        REPLACE (CASE WHEN employee_count <= 1e7 THEN floor(employee_count)::BIGINT END AS employee_count,
            coalesce(e_employee_count, CASE WHEN employee_count > 1e7 THEN 'out_of_range' END) AS e_employee_count),
    CASE WHEN NOT is_placeholder_email(email_read) THEN email_read END AS email,
    CASE
        WHEN c_email IS NULL THEN NULL
        WHEN fault_of(cells, 'email') = 'placeholder_value' OR is_placeholder_email(email_read) THEN 'placeholder_value'
        WHEN email_read IS NULL THEN 'invalid_email'
        WHEN email_read <> c_email AND has_several_emails(c_email) THEN 'several_emails'
        ELSE fault_of(cells, 'email')
    END AS e_email,
    CASE WHEN phone_e164 IS NOT NULL THEN phone_extension_of(c_phone) END AS phone_extension,
    -- A number that can be dialled but for the country that nobody named: kept for people to dial.
    phone_e164 IS NULL AND names_no_country AND strlen(phone_digits) BETWEEN 7 AND 15 AND NOT is_dummy_phone
        AND regexp_full_match(c_phone, '[0-9(][0-9 ().\-/]*(?:(?i:ext?\.?|x|#) ?\d+)?') AS is_local_phone,
    CASE
        WHEN c_phone IS NULL THEN NULL
        WHEN phone_e164 IS NULL AND is_phone_damaged(c_phone) THEN 'spreadsheet_arithmetic'
        WHEN fault_of(cells, 'phone') = 'placeholder_value' OR is_dummy_phone THEN 'placeholder_value'
        WHEN phone_e164 IS NULL THEN 'invalid_phone'
        WHEN has_several_phones(c_phone) THEN 'several_phones'
        ELSE fault_of(cells, 'phone')
    END AS e_phone,
    linkedin_address(c_linkedin_url) AS linkedin_url,
    CASE WHEN website IS NULL AND c_website IS NOT NULL THEN coalesce(fault_of(cells, 'website'), 'invalid_url') ELSE fault_of(cells, 'website') END AS e_website,
    read_flag(c_consent) AS consent,
    text_fault(received.message, c_message, is_placeholder(c_message), 20000) AS e_message,
    TRY_CAST(replace(received.page_views_count, ',', '') AS DOUBLE) AS page_views_count,
    TRY_CAST(replace(received.email_opens_count, ',', '') AS DOUBLE) AS email_opens_count,
    TRY_CAST(replace(received.form_submissions_count, ',', '') AS DOUBLE) AS form_submissions_count
FROM settled
