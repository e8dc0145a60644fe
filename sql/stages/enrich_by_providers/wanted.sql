-- What leads lack that providers may tell, and by which keys they may be asked. Leads that lack the same by the same
-- keys are one subject. Grain: lead and kind. Key: lead_id, kind. Input: provider_leads (enriched_leads). Variables:
-- provider_fields (fields that somebody may fill), provider_kinds (`field:kind`).
WITH
lacking AS (
    SELECT
        lead_id,
        list_filter([
            CASE WHEN company_name IS NULL THEN 'company_name' END,
            CASE WHEN website IS NULL THEN 'website' END,
            CASE WHEN employee_band IS NULL THEN 'employee_band' END,
            CASE WHEN revenue_band IS NULL THEN 'revenue_band' END,
            CASE WHEN industry_code IS NULL OR industry_code = 'unknown' THEN 'industry_code' END,
            CASE WHEN company_linkedin_url IS NULL THEN 'company_linkedin_url' END,
            CASE WHEN company_twitter_url IS NULL THEN 'company_twitter_url' END,
            CASE WHEN company_facebook_url IS NULL THEN 'company_facebook_url' END,
            CASE WHEN email_status IS NULL THEN 'email_status' END,
            CASE WHEN has_mail_server IS NULL THEN 'has_mail_server' END,
            CASE WHEN phone_type IS NULL THEN 'phone_type' END,
            CASE WHEN phone_country IS NULL THEN 'phone_country' END,
            CASE WHEN city IS NULL THEN 'city' END,
            CASE WHEN region IS NULL THEN 'region' END,
            CASE WHEN country IS NULL THEN 'country' END,
            CASE WHEN county IS NULL THEN 'county' END,
            CASE WHEN time_zone IS NULL THEN 'time_zone' END,
            CASE WHEN latitude_deg IS NULL THEN 'latitude_deg' END,
            CASE WHEN longitude_deg IS NULL THEN 'longitude_deg' END
        ], lambda field: list_contains(getvariable('provider_fields'), field)) AS fields,
        company_domain,
        CASE WHEN company_name_source = 'given' THEN lower(company_name) || '|' || coalesce(country, '') END AS company_name,
        lower(email) AS email,
        email_domain,
        phone_e164,
        -- a country alone is no place
        CASE
            WHEN coalesce(street, postal_code, city) IS NOT NULL
            THEN concat_ws(', ', street, postal_code, city, coalesce(region_name, region), country)
        END AS place
    FROM provider_leads
),

by_kind AS (
    SELECT
        lead_id,
        kind,
        list_sort(list_filter(fields, lambda field: list_contains(getvariable('provider_kinds'), field || ':' || kind))) AS fields,
        CASE WHEN kind IN ('company', 'industry', 'social') THEN company_domain END AS company_domain,
        CASE WHEN kind IN ('company', 'industry', 'social') THEN company_name END AS company_name,
        CASE WHEN kind = 'email' THEN email END AS email,
        CASE WHEN kind = 'email' THEN email_domain END AS email_domain,
        CASE WHEN kind = 'phone' THEN phone_e164 END AS phone_e164,
        CASE WHEN kind = 'geo' THEN place END AS place
    FROM lacking, (SELECT unnest(['company', 'email', 'phone', 'social', 'geo', 'industry']) AS kind)
)

SELECT
    lead_id,
    kind,
    md5(to_json([kind, company_domain, company_name, email, email_domain, phone_e164, place, fields::VARCHAR]))
        AS subject_id,
    fields, company_domain, company_name, email, email_domain, phone_e164, place
FROM by_kind
WHERE len(fields) > 0
    AND coalesce(company_domain, company_name, email, email_domain, phone_e164, place) IS NOT NULL
