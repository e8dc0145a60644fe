-- Accepted leads with what is known about them. Given values stay; each filled one names its source.
-- Grain: accepted lead. Key: lead_id. Inputs: enrich_companies, enrich_title_facts (job_title).
SELECT
    given.* EXCLUDE (first_name, last_name, company_name, website, city, region, country),
    coalesce(
        l.given.first_name, CASE WHEN l.name_parts_source IS NOT NULL THEN enrich_capitalised(l.name_parts.first_name) END
    ) AS first_name,
    coalesce(
        l.given.last_name, CASE WHEN l.name_parts_source IS NOT NULL THEN enrich_capitalised(l.name_parts.last_name) END
    ) AS last_name,
    CASE
        WHEN l.given.company_name IS NOT NULL THEN l.given.company_name
        WHEN l.domain_label NOT LIKE 'xn--%' THEN enrich_label_name(l.domain_label)
    END AS company_name,
    coalesce(l.given.website, l.company_domain) AS website,
    coalesce(l.given.city, l.zip_city) AS city,
    l.region,
    l.country,
    CASE WHEN l.given.first_name IS NOT NULL THEN 'given' ELSE l.name_parts_source END AS first_name_source,
    CASE WHEN l.given.last_name IS NOT NULL THEN 'given' ELSE l.name_parts_source END AS last_name_source,
    CASE WHEN l.given.company_name IS NOT NULL THEN 'given' WHEN l.domain_label NOT LIKE 'xn--%' THEN 'domain' END
        AS company_name_source,
    CASE WHEN l.given.website IS NOT NULL THEN 'given' ELSE l.company_domain_source END AS website_source,
    CASE WHEN l.given.city IS NOT NULL THEN 'given' WHEN l.zip_city IS NOT NULL THEN 'postal_code' END AS city_source,
    l.region_source,
    l.country_source,
    CASE
        WHEN l.given.email IS NULL THEN NULL
        WHEN l.mail_kind = 'disposable' THEN 'disposable'
        WHEN l.is_role THEN 'role'
        WHEN l.mail_kind = 'free' THEN 'free'
        ELSE 'business'
    END AS email_kind,
    CASE WHEN email_kind = 'role' THEN 'email' WHEN l.given.email IS NOT NULL THEN 'email_domain' END
        AS email_kind_source,
    l.phone_type,
    CASE WHEN l.phone_type IS NOT NULL THEN 'phone_number' END AS phone_type_source,
    l.phone_country,
    CASE WHEN l.phone_country IS NOT NULL THEN 'phone_number' END AS phone_country_source,
    l.time_zone,
    l.time_zone_source,
    l.country_name,
    CASE WHEN l.country_name IS NOT NULL THEN 'country' END AS country_name_source,
    l.region_name,
    CASE WHEN l.region_name IS NOT NULL THEN 'region' END AS region_name_source,
    l.county,
    CASE WHEN l.county IS NOT NULL THEN 'postal_code' END AS county_source,
    l.latitude_deg,
    CASE WHEN l.latitude_deg IS NOT NULL THEN 'postal_code' END AS latitude_deg_source,
    l.longitude_deg,
    CASE WHEN l.longitude_deg IS NOT NULL THEN 'postal_code' END AS longitude_deg_source,
    l.company_domain,
    l.company_domain_source,
    t.job_seniority,
    CASE WHEN t.job_title IS NOT NULL THEN 'job_title' END AS job_seniority_source,
    t.job_function,
    CASE WHEN t.job_title IS NOT NULL THEN 'job_title' END AS job_function_source,
    l.industry_code,
    l.industry_code_source,
    l.industry_confidence_share,
    enrich_employee_band(l.given.employee_count) AS employee_band,
    CASE WHEN l.given.employee_count > 0 THEN 'employee_count' END AS employee_band_source,
    enrich_revenue_band(l.given.annual_revenue_usd) AS revenue_band,
    CASE WHEN l.given.annual_revenue_usd > 0 THEN 'annual_revenue_usd' END AS revenue_band_source,
    -- Only providers tell these.
    NULL AS email_status, NULL AS email_status_source,
    NULL AS has_mail_server, NULL AS has_mail_server_source,
    NULL AS company_linkedin_url, NULL AS company_linkedin_url_source,
    NULL AS company_twitter_url, NULL AS company_twitter_url_source,
    NULL AS company_facebook_url, NULL AS company_facebook_url_source,
    -- Everybody may have a company domain, a sector and a time zone; an e-mail tells its kind, a title its seniority.
    CASE
        WHEN l.company_domain IS NOT NULL AND l.industry_code_source IS NOT NULL AND l.time_zone IS NOT NULL
            AND (t.job_title IS NOT NULL OR l.given.job_title IS NULL)
        THEN 'complete'
        WHEN coalesce(
            l.company_domain, l.industry_code_source, l.time_zone, l.given.email, t.job_title
        ) IS NULL THEN 'none'
        ELSE 'partial'
    END AS enrichment_status,
    []::VARCHAR[] AS degraded
FROM enrich_companies AS l
LEFT JOIN enrich_title_facts AS t ON t.job_title = l.given.job_title
