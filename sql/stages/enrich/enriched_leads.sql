-- Accepted leads with what is known about them. Given values stay; each filled one names its source.
-- Grain: accepted lead. Key: lead_id. Inputs: enrich_companies, enrich_title_facts (job_title).
WITH
told AS (
    SELECT
        l.*,
        CASE
            WHEN l.email IS NULL THEN NULL
            WHEN l.mail_kind = 'disposable' THEN 'disposable'
            WHEN l.is_role THEN 'role'
            WHEN l.mail_kind = 'free' THEN 'free'
            ELSE 'business'
        END AS email_kind,
        CASE WHEN email_kind = 'role' THEN 'email' WHEN l.email IS NOT NULL THEN 'email_domain' END
            AS email_kind_source,
        t.job_seniority,
        t.job_function,
        CASE WHEN t.job_title IS NOT NULL THEN 'job_title' END AS job_seniority_source,
        CASE WHEN t.job_title IS NOT NULL THEN 'job_title' END AS job_function_source,
        enrich_employee_band(l.employee_count) AS employee_band,
        CASE WHEN employee_band IS NOT NULL THEN 'employee_count' END AS employee_band_source,
        enrich_revenue_band(l.annual_revenue_usd) AS revenue_band,
        CASE WHEN revenue_band IS NOT NULL THEN 'annual_revenue_usd' END AS revenue_band_source,
        CASE WHEN l.phone_type IS NOT NULL THEN 'phone_number' END AS phone_type_source,
        CASE WHEN l.phone_country IS NOT NULL THEN 'phone_number' END AS phone_country_source,
        CASE WHEN l.country_name IS NOT NULL THEN 'country' END AS country_name_source,
        CASE WHEN l.region_name IS NOT NULL THEN 'region' END AS region_name_source,
        CASE WHEN l.county IS NOT NULL THEN 'postal_code' END AS county_source,
        CASE WHEN l.latitude_deg IS NOT NULL THEN 'postal_code' END AS latitude_deg_source,
        CASE WHEN l.longitude_deg IS NOT NULL THEN 'postal_code' END AS longitude_deg_source,
        -- Applicable are a company domain, a sector and a time zone to everybody, and what an e-mail or a job title
        -- tells to those who have one.
        3 + (l.email IS NOT NULL)::INTEGER + (l.job_title IS NOT NULL)::INTEGER AS applicable_count,
        (l.company_domain IS NOT NULL)::INTEGER + (l.industry_code <> 'unknown')::INTEGER
        + (l.time_zone IS NOT NULL)::INTEGER + (email_kind IS NOT NULL)::INTEGER
        + (t.job_title IS NOT NULL)::INTEGER AS found_count
    FROM enrich_companies AS l
    LEFT JOIN enrich_title_facts AS t ON t.job_title = l.job_title
)

SELECT
    *,
    CASE WHEN found_count = applicable_count THEN 'complete' WHEN found_count = 0 THEN 'none' ELSE 'partial' END
        AS enrichment_status,
    []::VARCHAR[] AS degraded
FROM told
