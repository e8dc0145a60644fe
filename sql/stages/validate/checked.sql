-- Grain: raw row. Key: lead_id. Inputs: table macro checked_values; variable policy.
-- The lead's typed columns, `warnings`, `extra` with what was set aside, and `violations`: empty for an accepted row.
WITH told AS (
    SELECT
        *,
        CASE WHEN linkedin_url IS NULL AND c_linkedin_url IS NOT NULL THEN coalesce(fault_of(cells, 'linkedin_url'), 'invalid_url') ELSE fault_of(cells, 'linkedin_url') END AS e_linkedin_url,
        CASE WHEN consent IS NULL AND c_consent IS NOT NULL THEN coalesce(fault_of(cells, 'consent'), 'invalid_flag') END AS e_consent,
        CASE WHEN coalesce(received.page_views_count, '') = '' OR page_views_count BETWEEN 0 AND 1e9 THEN NULL WHEN page_views_count IS NOT NULL THEN 'out_of_range' WHEN is_placeholder(received.page_views_count) THEN 'placeholder_value' ELSE 'invalid_number' END AS e_page_views_count,
        CASE WHEN coalesce(received.email_opens_count, '') = '' OR email_opens_count BETWEEN 0 AND 1e9 THEN NULL WHEN email_opens_count IS NOT NULL THEN 'out_of_range' WHEN is_placeholder(received.email_opens_count) THEN 'placeholder_value' ELSE 'invalid_number' END AS e_email_opens_count,
        CASE WHEN coalesce(received.form_submissions_count, '') = '' OR form_submissions_count BETWEEN 0 AND 1e9 THEN NULL WHEN form_submissions_count IS NOT NULL THEN 'out_of_range' WHEN is_placeholder(received.form_submissions_count) THEN 'placeholder_value' ELSE 'invalid_number' END AS e_form_submissions_count,
        email IS NOT NULL OR phone_e164 IS NOT NULL OR coalesce(is_local_phone, false) AS is_reachable,
        kept_of(cells, 'company_name', received.company_name) AS company_name
    FROM checked_values()
),

faulty AS (
    SELECT
        *,
        coalesce(last_name, full_name, company_name) IS NOT NULL AS is_named,
        -- By groups of columns, for most rows have at most one fault and a list of all thirty is dear.
        CASE WHEN coalesce(fault_of(cells, 'external_id'), fault_of(cells, 'lead_source'), fault_of(cells, 'campaign'), fault_of(cells, 'first_name'), fault_of(cells, 'last_name'), fault_of(cells, 'full_name'), fault_of(cells, 'job_title')) IS NOT NULL THEN list_filter([
                {'column_name': 'external_id', 'code': fault_of(cells, 'external_id'), 'value': received.external_id},
                {'column_name': 'lead_source', 'code': fault_of(cells, 'lead_source'), 'value': received.lead_source},
                {'column_name': 'campaign', 'code': fault_of(cells, 'campaign'), 'value': received.campaign},
                {'column_name': 'first_name', 'code': fault_of(cells, 'first_name'), 'value': received.first_name},
                {'column_name': 'last_name', 'code': fault_of(cells, 'last_name'), 'value': received.last_name},
                {'column_name': 'full_name', 'code': fault_of(cells, 'full_name'), 'value': received.full_name},
                {'column_name': 'job_title', 'code': fault_of(cells, 'job_title'), 'value': received.job_title}
            ], lambda fault: fault.code IS NOT NULL) ELSE [] END
            || CASE WHEN coalesce(e_email, e_phone, e_linkedin_url, fault_of(cells, 'company_name'), e_website, fault_of(cells, 'industry')) IS NOT NULL THEN list_filter([
                {'column_name': 'email', 'code': e_email, 'value': received.email},
                {'column_name': 'phone', 'code': e_phone, 'value': received.phone},
                {'column_name': 'linkedin_url', 'code': e_linkedin_url, 'value': received.linkedin_url},
                {'column_name': 'company_name', 'code': fault_of(cells, 'company_name'), 'value': received.company_name},
                {'column_name': 'website', 'code': e_website, 'value': received.website},
                {'column_name': 'industry', 'code': fault_of(cells, 'industry'), 'value': received.industry}
            ], lambda fault: fault.code IS NOT NULL) ELSE [] END
            || CASE WHEN coalesce(e_employee_count, e_annual_revenue_usd, fault_of(cells, 'street'), fault_of(cells, 'city'), e_region, e_postal_code, e_country) IS NOT NULL THEN list_filter([
                {'column_name': 'employee_count', 'code': e_employee_count, 'value': received.employee_count},
                {'column_name': 'annual_revenue_usd', 'code': e_annual_revenue_usd, 'value': received.annual_revenue_usd},
                {'column_name': 'street', 'code': fault_of(cells, 'street'), 'value': received.street},
                {'column_name': 'city', 'code': fault_of(cells, 'city'), 'value': received.city},
                {'column_name': 'region', 'code': e_region, 'value': received.region},
                {'column_name': 'postal_code', 'code': e_postal_code, 'value': received.postal_code},
                {'column_name': 'country', 'code': e_country, 'value': received.country}
            ], lambda fault: fault.code IS NOT NULL) ELSE [] END
            || CASE WHEN coalesce(e_message, fault_of(cells, 'product_interest'), e_budget_usd, e_page_views_count, e_email_opens_count, e_form_submissions_count, e_last_activity_at, e_consent, e_consent_at, e_created_at) IS NOT NULL THEN list_filter([
                {'column_name': 'message', 'code': e_message, 'value': received.message},
                {'column_name': 'product_interest', 'code': fault_of(cells, 'product_interest'), 'value': received.product_interest},
                {'column_name': 'budget_usd', 'code': e_budget_usd, 'value': received.budget_usd},
                {'column_name': 'page_views_count', 'code': e_page_views_count, 'value': received.page_views_count},
                {'column_name': 'email_opens_count', 'code': e_email_opens_count, 'value': received.email_opens_count},
                {'column_name': 'form_submissions_count', 'code': e_form_submissions_count, 'value': received.form_submissions_count},
                {'column_name': 'last_activity_at', 'code': e_last_activity_at, 'value': received.last_activity_at},
                {'column_name': 'consent', 'code': e_consent, 'value': received.consent},
                {'column_name': 'consent_at', 'code': e_consent_at, 'value': received.consent_at},
                {'column_name': 'created_at', 'code': e_created_at, 'value': received.created_at}
            ], lambda fault: fault.code IS NOT NULL) ELSE [] END AS faults
    FROM told
),

judged AS (
    SELECT *, CASE
        WHEN received.read_error_code IS NOT NULL THEN [{'column_name': NULL::VARCHAR, 'code': received.read_error_code, 'value': NULL::VARCHAR}]
        WHEN is_reachable AND is_named AND (getvariable('policy') = 'lenient' OR len(faults) = 0) THEN []
        ELSE CASE WHEN is_reachable THEN [] ELSE [{'column_name': NULL::VARCHAR, 'code': 'unreachable', 'value': NULL::VARCHAR}] END
            || CASE WHEN is_named THEN [] ELSE [{'column_name': NULL::VARCHAR, 'code': 'nameless', 'value': NULL::VARCHAR}] END
            || list_filter(faults, lambda fault: (getvariable('policy') = 'strict' AND NOT is_repair(fault.code))
                OR (NOT is_reachable AND NOT is_repair(fault.code) AND (fault.column_name = 'email' OR fault.column_name = 'phone'))
                OR (NOT is_named AND NOT is_repair(fault.code) AND (fault.column_name = 'last_name' OR fault.column_name = 'full_name' OR fault.column_name = 'company_name')))
    END AS violations
    FROM faulty
)

SELECT
    received.lead_id, received.batch_id, received.row_number, received.source, received.source_channel, received.received_at,
    kept_of(cells, 'external_id', received.external_id) AS external_id,
    kept_of(cells, 'lead_source', received.lead_source) AS lead_source,
    kept_of(cells, 'campaign', received.campaign) AS campaign,
    first_name,
    last_name,
    full_name,
    kept_of(cells, 'job_title', received.job_title) AS job_title,
    email,
    CASE WHEN phone_e164 IS NOT NULL OR is_local_phone THEN left(c_phone, 100) END AS phone,
    linkedin_url,
    company_name,
    website,
    kept_of(cells, 'industry', received.industry) AS industry,
    employee_count,
    annual_revenue_usd,
    kept_of(cells, 'street', received.street) AS street,
    kept_of(cells, 'city', received.city) AS city,
    region,
    postal_code,
    country,
    text_value(e_message, c_message, 20000) AS message,
    kept_of(cells, 'product_interest', received.product_interest) AS product_interest,
    budget_usd,
    CASE WHEN page_views_count BETWEEN 0 AND 1e9 THEN floor(page_views_count)::BIGINT END AS page_views_count,
    CASE WHEN email_opens_count BETWEEN 0 AND 1e9 THEN floor(email_opens_count)::BIGINT END AS email_opens_count,
    CASE WHEN form_submissions_count BETWEEN 0 AND 1e9 THEN floor(form_submissions_count)::BIGINT END AS form_submissions_count,
    last_activity_at,
    consent,
    consent_at,
    created_at,
    split_part(email, '@', 2) AS email_domain,
    phone_e164,
    phone_extension,
    CASE WHEN len(faults) > 0 THEN with_set_aside(received.extra, list_filter(faults, lambda fault: is_set_aside(fault))) ELSE received.extra END AS extra,
    CASE WHEN len(faults) > 0 THEN list_transform(faults, lambda fault: fault.column_name || ':' || fault.code) ELSE [] END AS warnings,
    received.line_number AS line_number,
    violations
FROM judged
