-- Grain: raw row. Key: lead_id. Inputs: view checked_values; variables as_of, currency, policy, most_name ….
-- The lead's typed columns, `warnings`, `extra` with what was set aside, and `violations`: empty for an accepted row.
WITH typed AS (
    SELECT
        lead_id, batch_id, row_number, source, source_channel, received_at, line_number, read_error_code, extra AS extra_received,
        external_id AS r_external_id,
        lead_source AS r_lead_source,
        campaign AS r_campaign,
        first_name AS r_first_name,
        last_name AS r_last_name,
        full_name AS r_full_name,
        job_title AS r_job_title,
        email AS r_email,
        phone AS r_phone,
        linkedin_url AS r_linkedin_url,
        company_name AS r_company_name,
        website AS r_website,
        industry AS r_industry,
        employee_count AS r_employee_count,
        annual_revenue_usd AS r_annual_revenue_usd,
        street AS r_street,
        city AS r_city,
        region AS r_region,
        postal_code AS r_postal_code,
        country AS r_country,
        message AS r_message,
        product_interest AS r_product_interest,
        budget_usd AS r_budget_usd,
        page_views_count AS r_page_views_count,
        email_opens_count AS r_email_opens_count,
        form_submissions_count AS r_form_submissions_count,
        last_activity_at AS r_last_activity_at,
        consent AS r_consent,
        consent_at AS r_consent_at,
        created_at AS r_created_at,
        text_value(text_faults[1], c_external_id, 500) AS external_id, text_faults[1] AS e_external_id,
        text_value(text_faults[2], c_lead_source, 500) AS lead_source, text_faults[2] AS e_lead_source,
        text_value(text_faults[3], c_campaign, 500) AS campaign, text_faults[3] AS e_campaign,
        text_value(text_faults[4], c_job_title, 500) AS job_title, text_faults[4] AS e_job_title,
        text_value(text_faults[5], c_company_name, 500) AS company_name, text_faults[5] AS e_company_name,
        text_value(text_faults[6], c_industry, 500) AS industry, text_faults[6] AS e_industry,
        text_value(text_faults[7], c_street, 500) AS street, text_faults[7] AS e_street,
        text_value(text_faults[8], c_city, 500) AS city, text_faults[8] AS e_city,
        text_value(text_faults[9], c_product_interest, 500) AS product_interest, text_faults[9] AS e_product_interest,
        text_fault(message, c_message, is_placeholder(c_message), 20000) AS e_message, text_value(e_message, c_message, 20000) AS message,
        text_value(text_faults[10], c_first_name, 500) AS first_name, text_faults[10] AS e_first_name,
        text_value(text_faults[11], c_last_name, 500) AS last_name, text_faults[11] AS e_last_name,
        text_value(text_faults[12], c_full_name, 500) AS full_name, text_faults[12] AS e_full_name,
        v_email AS email,
        CASE
            WHEN c_email IS NULL THEN NULL
            WHEN v_email IS NULL AND (email_read IS NOT NULL OR nothings[1]) THEN 'placeholder_value'
            WHEN v_email IS NULL THEN 'invalid_email'
            WHEN email_read <> c_email AND has_several_emails(c_email) THEN 'several_emails'
            WHEN needs_care AND lost_more_than_blanks(email, c_email) THEN 'control_characters_removed'
        END AS e_email,
        v_phone_e164 AS phone_e164,
        CASE WHEN v_phone_e164 IS NOT NULL THEN phone_extension_of(c_phone) END AS phone_extension,
        -- A number that can be dialled but for the country that nobody named: kept for people to dial.
        v_phone_e164 IS NULL AND home_country IS NULL AND strlen(phone_digits) BETWEEN 7 AND 15 AND NOT is_dummy_phone
            AND regexp_full_match(c_phone, '[0-9(][0-9 ().\-/]*(?:(?i:ext?\.?|x|#) ?\d+)?') AS is_local_phone,
        c_phone,
        CASE
            WHEN c_phone IS NULL THEN NULL
            WHEN v_phone_e164 IS NULL AND is_phone_damaged(c_phone) THEN 'spreadsheet_arithmetic'
            WHEN v_phone_e164 IS NULL AND (nothings[2] OR is_dummy_phone) THEN 'placeholder_value'
            WHEN v_phone_e164 IS NULL THEN 'invalid_phone'
            WHEN has_several_phones(c_phone) THEN 'several_phones'
            WHEN needs_care AND lost_more_than_blanks(phone, c_phone) THEN 'control_characters_removed'
        END AS e_phone,
        v_linkedin_url AS linkedin_url,
        CASE WHEN c_linkedin_url IS NULL OR v_linkedin_url IS NOT NULL THEN NULL WHEN nothings[3] THEN 'placeholder_value' ELSE 'invalid_url' END AS e_linkedin_url,
        v_website AS website,
        CASE WHEN c_website IS NULL OR v_website IS NOT NULL THEN NULL WHEN nothings[4] THEN 'placeholder_value' ELSE 'invalid_url' END AS e_website,
        floor(CASE WHEN n_employee_count <= 1e7 THEN n_employee_count END)::BIGINT AS employee_count,
        coalesce(f_employee_count, CASE WHEN n_employee_count > 1e7 THEN 'out_of_range' END) AS e_employee_count,
        CASE WHEN is_plain_number(annual_revenue_usd) THEN round(n_annual_revenue_usd * getvariable('home_rate'), 2) ELSE n_annual_revenue_usd END AS annual_revenue_usd, f_annual_revenue_usd AS e_annual_revenue_usd,
        CASE WHEN is_plain_number(budget_usd) THEN round(n_budget_usd * getvariable('home_rate'), 2) ELSE n_budget_usd END AS budget_usd, f_budget_usd AS e_budget_usd,
        v_region AS region,
        CASE
            WHEN c_region IS NULL OR v_region_code IS NOT NULL THEN NULL
            WHEN nothings[5] THEN 'placeholder_value'
            WHEN v_country IN ('US', 'CA', 'AU') THEN 'invalid_region'
        END AS e_region,
        v_postal_code AS postal_code,
        CASE
            WHEN c_postal_code IS NULL THEN NULL
            WHEN v_postal_code IS NULL AND nothings[6] THEN 'placeholder_value'
            WHEN v_postal_code IS NULL THEN 'invalid_postal_code'
            WHEN v_postal_code[1] = '0' AND c_postal_code[1] <> '0' THEN 'leading_zero_restored'
        END AS e_postal_code,
        v_country AS country,
        CASE WHEN c_country IS NULL OR v_country IS NOT NULL THEN NULL WHEN nothings[7] THEN 'placeholder_value' ELSE 'invalid_country' END AS e_country,
        floor(CASE WHEN n_page_views_count <= 1e9 THEN n_page_views_count END)::BIGINT AS page_views_count, coalesce(f_page_views_count, CASE WHEN n_page_views_count > 1e9 THEN 'out_of_range' END) AS e_page_views_count,
        floor(CASE WHEN n_email_opens_count <= 1e9 THEN n_email_opens_count END)::BIGINT AS email_opens_count, coalesce(f_email_opens_count, CASE WHEN n_email_opens_count > 1e9 THEN 'out_of_range' END) AS e_email_opens_count,
        floor(CASE WHEN n_form_submissions_count <= 1e9 THEN n_form_submissions_count END)::BIGINT AS form_submissions_count, coalesce(f_form_submissions_count, CASE WHEN n_form_submissions_count > 1e9 THEN 'out_of_range' END) AS e_form_submissions_count,
        v_last_activity_at AS last_activity_at, e_last_activity_at,
        v_consent_at AS consent_at, e_consent_at,
        v_created_at AS created_at, e_created_at,
        v_consent AS consent,
        CASE WHEN c_consent IS NULL OR v_consent IS NOT NULL THEN NULL WHEN nothings[8] THEN 'placeholder_value' ELSE 'invalid_flag' END AS e_consent
    FROM checked_values
),

cased AS (
    SELECT * REPLACE (cased_name(first_name) AS first_name, cased_family_name(last_name) AS last_name, cased_name(full_name) AS full_name)
    FROM typed
),

named AS (
    SELECT
        * REPLACE (
            coalesce(full_name, CASE WHEN first_name IS NOT NULL AND last_name IS NOT NULL THEN first_name || ' ' || last_name END) AS full_name,
            CASE WHEN phone_e164 IS NOT NULL OR is_local_phone THEN left(c_phone, 100) END AS c_phone
        ),
        CASE WHEN full_name IS NOT NULL AND (first_name IS NULL OR last_name IS NULL) THEN bare_name(full_name) END AS bare
    FROM cased
),

split AS (
    SELECT
        * REPLACE (
            CASE WHEN bare IS NULL OR first_name IS NOT NULL THEN first_name
                WHEN last_name IS NULL OR lower(family_name(bare)) = lower(last_name) THEN given_name(bare) END AS first_name,
            CASE WHEN bare IS NULL OR last_name IS NOT NULL THEN last_name
                WHEN first_name IS NULL OR starts_with(lower(bare), lower(first_name) || ' ') THEN family_name(bare) END AS last_name
        ),
        email IS NOT NULL OR phone_e164 IS NOT NULL OR coalesce(is_local_phone, false) AS is_reachable,
        coalesce(last_name, full_name, company_name) IS NOT NULL AS is_named,
        coalesce(
            e_external_id, e_lead_source, e_campaign, e_first_name, e_last_name, e_full_name, e_job_title, e_email, e_phone, e_linkedin_url, e_company_name, e_website, e_industry, e_employee_count, e_annual_revenue_usd, e_street, e_city, e_region, e_postal_code, e_country, e_message, e_product_interest, e_budget_usd, e_page_views_count, e_email_opens_count, e_form_submissions_count, e_last_activity_at, e_consent, e_consent_at, e_created_at) IS NOT NULL AS has_faults
    FROM named
),

faulty AS (
    SELECT *, CASE WHEN has_faults THEN list_filter([
            {'column_name': 'external_id', 'code': e_external_id, 'value': r_external_id},
            {'column_name': 'lead_source', 'code': e_lead_source, 'value': r_lead_source},
            {'column_name': 'campaign', 'code': e_campaign, 'value': r_campaign},
            {'column_name': 'first_name', 'code': e_first_name, 'value': r_first_name},
            {'column_name': 'last_name', 'code': e_last_name, 'value': r_last_name},
            {'column_name': 'full_name', 'code': e_full_name, 'value': r_full_name},
            {'column_name': 'job_title', 'code': e_job_title, 'value': r_job_title},
            {'column_name': 'email', 'code': e_email, 'value': r_email},
            {'column_name': 'phone', 'code': e_phone, 'value': r_phone},
            {'column_name': 'linkedin_url', 'code': e_linkedin_url, 'value': r_linkedin_url},
            {'column_name': 'company_name', 'code': e_company_name, 'value': r_company_name},
            {'column_name': 'website', 'code': e_website, 'value': r_website},
            {'column_name': 'industry', 'code': e_industry, 'value': r_industry},
            {'column_name': 'employee_count', 'code': e_employee_count, 'value': r_employee_count},
            {'column_name': 'annual_revenue_usd', 'code': e_annual_revenue_usd, 'value': r_annual_revenue_usd},
            {'column_name': 'street', 'code': e_street, 'value': r_street},
            {'column_name': 'city', 'code': e_city, 'value': r_city},
            {'column_name': 'region', 'code': e_region, 'value': r_region},
            {'column_name': 'postal_code', 'code': e_postal_code, 'value': r_postal_code},
            {'column_name': 'country', 'code': e_country, 'value': r_country},
            {'column_name': 'message', 'code': e_message, 'value': r_message},
            {'column_name': 'product_interest', 'code': e_product_interest, 'value': r_product_interest},
            {'column_name': 'budget_usd', 'code': e_budget_usd, 'value': r_budget_usd},
            {'column_name': 'page_views_count', 'code': e_page_views_count, 'value': r_page_views_count},
            {'column_name': 'email_opens_count', 'code': e_email_opens_count, 'value': r_email_opens_count},
            {'column_name': 'form_submissions_count', 'code': e_form_submissions_count, 'value': r_form_submissions_count},
            {'column_name': 'last_activity_at', 'code': e_last_activity_at, 'value': r_last_activity_at},
            {'column_name': 'consent', 'code': e_consent, 'value': r_consent},
            {'column_name': 'consent_at', 'code': e_consent_at, 'value': r_consent_at},
            {'column_name': 'created_at', 'code': e_created_at, 'value': r_created_at}
        ], lambda fault: fault.code IS NOT NULL) ELSE [] END AS faults
    FROM split
),

judged AS (
    SELECT *, CASE
        WHEN read_error_code IS NOT NULL THEN [{'column_name': NULL::VARCHAR, 'code': read_error_code, 'value': NULL::VARCHAR}]
        WHEN is_reachable AND is_named AND (getvariable('policy') = 'lenient' OR NOT has_faults) THEN []
        ELSE CASE WHEN is_reachable THEN [] ELSE [{'column_name': NULL::VARCHAR, 'code': 'unreachable', 'value': NULL::VARCHAR}] END
            || CASE WHEN is_named THEN [] ELSE [{'column_name': NULL::VARCHAR, 'code': 'nameless', 'value': NULL::VARCHAR}] END
            || list_filter(faults, lambda fault: (getvariable('policy') = 'strict' AND fault.code NOT IN ('control_characters_removed', 'leading_zero_restored'))
                OR (fault.column_name IN ('email', 'phone') AND NOT is_reachable AND fault.code <> 'control_characters_removed')
                OR (fault.column_name IN ('last_name', 'full_name', 'company_name') AND NOT is_named AND fault.code <> 'control_characters_removed'))
    END AS violations
    FROM faulty
)

SELECT
    lead_id, batch_id, row_number, source, source_channel, received_at,
    external_id, lead_source, campaign, first_name, last_name, full_name, job_title, email, c_phone AS phone, linkedin_url,
    company_name, website, industry, employee_count, annual_revenue_usd, street, city, region, postal_code, country, message,
    product_interest, budget_usd, page_views_count, email_opens_count, form_submissions_count, last_activity_at, consent,
    consent_at, created_at,
    split_part(email, '@', 2) AS email_domain,
    phone_e164,
    phone_extension,
    CASE WHEN has_faults THEN with_set_aside(extra_received, list_filter(faults, lambda fault: is_set_aside(fault))) ELSE extra_received END AS extra,
    CASE WHEN has_faults THEN list_transform(faults, lambda fault: fault.column_name || ':' || fault.code) ELSE [] END AS warnings,
    line_number,
    violations
FROM judged
