-- Grain: violation of a rejected row. Inputs: views raw, checked; table reasons.
-- `raw`: the row as received, its unknown columns (`extra`) among the known ones, empty cells left out.
WITH violations AS (
    SELECT lead_id, unnest(violations) AS violation
    FROM checked
    WHERE len(violations) > 0
)

SELECT
    raw.lead_id,
    raw.batch_id,
    raw.row_number,
    raw.line_number,
    violation.column_name,
    violation.code,
    reasons.message,
    coalesce(violation.value, CASE WHEN violation.code = raw.read_error_code THEN raw.raw_line END) AS value,
    json_merge_patch(
        coalesce(raw.extra, '{}')::JSON,
        json_object(
            'external_id', raw.external_id,
            'lead_source', raw.lead_source,
            'campaign', raw.campaign,
            'first_name', raw.first_name,
            'last_name', raw.last_name,
            'full_name', raw.full_name,
            'job_title', raw.job_title,
            'email', raw.email,
            'phone', raw.phone,
            'linkedin_url', raw.linkedin_url,
            'company_name', raw.company_name,
            'website', raw.website,
            'industry', raw.industry,
            'employee_count', raw.employee_count,
            'annual_revenue_usd', raw.annual_revenue_usd,
            'street', raw.street,
            'city', raw.city,
            'region', raw.region,
            'postal_code', raw.postal_code,
            'country', raw.country,
            'message', raw.message,
            'product_interest', raw.product_interest,
            'budget_usd', raw.budget_usd,
            'page_views_count', raw.page_views_count,
            'email_opens_count', raw.email_opens_count,
            'form_submissions_count', raw.form_submissions_count,
            'last_activity_at', raw.last_activity_at,
            'consent', raw.consent,
            'consent_at', raw.consent_at,
            'created_at', raw.created_at,
            'raw_line', raw.raw_line))::VARCHAR AS raw
FROM violations
JOIN raw ON raw.lead_id = violations.lead_id
JOIN reasons ON reasons.code = violation.code
ORDER BY raw.row_number
