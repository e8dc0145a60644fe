-- Enriched leads with what providers said laid over their empty fields; given and known values stay.
-- Grain: accepted lead. Key: lead_id. Inputs: provider_leads (enriched_leads), provider_facts (lead_id, field, value,
-- provider, confidence_share, gap_code).
WITH
said AS (
    SELECT
        lead_id,
        map_from_entries(list({'k': field, 'v': value} ORDER BY field) FILTER (WHERE field IS NOT NULL)) AS v,
        map_from_entries(list({'k': field, 'v': provider} ORDER BY field) FILTER (WHERE field IS NOT NULL)) AS p,
        max(confidence_share) FILTER (WHERE field = 'industry_code') AS industry_confidence_share,
        coalesce(list_sort(list(DISTINCT gap_code) FILTER (WHERE gap_code IS NOT NULL)), []) AS gap_codes
    FROM provider_facts
    GROUP BY lead_id
),

filled AS (
    SELECT
        e.* REPLACE (
            coalesce(e.company_name, s.v['company_name']) AS company_name,
            CASE WHEN e.company_name IS NULL THEN s.p['company_name'] ELSE e.company_name_source END
                AS company_name_source,
            coalesce(e.website, s.v['website']) AS website,
            CASE WHEN e.website IS NULL THEN s.p['website'] ELSE e.website_source END AS website_source,
            coalesce(e.city, s.v['city']) AS city,
            CASE WHEN e.city IS NULL THEN s.p['city'] ELSE e.city_source END AS city_source,
            coalesce(e.region, s.v['region']) AS region,
            CASE WHEN e.region IS NULL THEN s.p['region'] ELSE e.region_source END AS region_source,
            coalesce(e.country, s.v['country']) AS country,
            CASE WHEN e.country IS NULL THEN s.p['country'] ELSE e.country_source END AS country_source,
            coalesce(e.county, s.v['county']) AS county,
            CASE WHEN e.county IS NULL THEN s.p['county'] ELSE e.county_source END AS county_source,
            coalesce(e.time_zone, s.v['time_zone']) AS time_zone,
            CASE WHEN e.time_zone IS NULL THEN s.p['time_zone'] ELSE e.time_zone_source END AS time_zone_source,
            coalesce(e.latitude_deg, TRY_CAST(s.v['latitude_deg'] AS DOUBLE)) AS latitude_deg,
            CASE WHEN e.latitude_deg IS NULL THEN s.p['latitude_deg'] ELSE e.latitude_deg_source END
                AS latitude_deg_source,
            coalesce(e.longitude_deg, TRY_CAST(s.v['longitude_deg'] AS DOUBLE)) AS longitude_deg,
            CASE WHEN e.longitude_deg IS NULL THEN s.p['longitude_deg'] ELSE e.longitude_deg_source END
                AS longitude_deg_source,
            coalesce(e.employee_band, s.v['employee_band']) AS employee_band,
            CASE WHEN e.employee_band IS NULL THEN s.p['employee_band'] ELSE e.employee_band_source END
                AS employee_band_source,
            coalesce(e.revenue_band, s.v['revenue_band']) AS revenue_band,
            CASE WHEN e.revenue_band IS NULL THEN s.p['revenue_band'] ELSE e.revenue_band_source END
                AS revenue_band_source,
            coalesce(nullif(e.industry_code, 'unknown'), s.v['industry_code'], e.industry_code) AS industry_code,
            coalesce(e.industry_code_source, s.p['industry_code']) AS industry_code_source,
            CASE
                WHEN nullif(e.industry_code, 'unknown') IS NULL
                THEN coalesce(s.industry_confidence_share, e.industry_confidence_share)
                ELSE e.industry_confidence_share
            END AS industry_confidence_share,
            coalesce(e.phone_type, s.v['phone_type']) AS phone_type,
            CASE WHEN e.phone_type IS NULL THEN s.p['phone_type'] ELSE e.phone_type_source END AS phone_type_source,
            coalesce(e.phone_country, s.v['phone_country']) AS phone_country,
            CASE WHEN e.phone_country IS NULL THEN s.p['phone_country'] ELSE e.phone_country_source END
                AS phone_country_source,
            coalesce(e.email_status, s.v['email_status']) AS email_status,
            CASE WHEN e.email_status IS NULL THEN s.p['email_status'] ELSE e.email_status_source END
                AS email_status_source,
            coalesce(e.has_mail_server, TRY_CAST(s.v['has_mail_server'] AS BOOLEAN)) AS has_mail_server,
            CASE WHEN e.has_mail_server IS NULL THEN s.p['has_mail_server'] ELSE e.has_mail_server_source END
                AS has_mail_server_source,
            coalesce(e.company_linkedin_url, s.v['company_linkedin_url']) AS company_linkedin_url,
            CASE WHEN e.company_linkedin_url IS NULL THEN s.p['company_linkedin_url']
                ELSE e.company_linkedin_url_source END AS company_linkedin_url_source,
            coalesce(e.company_twitter_url, s.v['company_twitter_url']) AS company_twitter_url,
            CASE WHEN e.company_twitter_url IS NULL THEN s.p['company_twitter_url']
                ELSE e.company_twitter_url_source END AS company_twitter_url_source,
            coalesce(e.company_facebook_url, s.v['company_facebook_url']) AS company_facebook_url,
            CASE WHEN e.company_facebook_url IS NULL THEN s.p['company_facebook_url']
                ELSE e.company_facebook_url_source END AS company_facebook_url_source,
            -- What a provider could not say is said anew: it may have been added since.
            list_concat(
                list_filter(e.degraded, lambda code: code NOT LIKE 'provider\_%' ESCAPE '\'),
                coalesce(s.gap_codes, [])
            ) AS degraded
        )
    FROM provider_leads AS e
    LEFT JOIN said AS s USING (lead_id)
)

SELECT
    * REPLACE (
        CASE
            WHEN len(degraded) > 0 AND enrichment_status = 'complete' THEN 'partial'
            WHEN len(degraded) > 0 AND enrichment_status <> 'none' THEN enrichment_status
            WHEN company_domain IS NOT NULL AND coalesce(industry_code, 'unknown') <> 'unknown'
                AND time_zone IS NOT NULL AND (job_seniority_source IS NOT NULL OR job_title IS NULL)
                AND len(degraded) = 0
            THEN 'complete'
            WHEN enrichment_status = 'none' AND coalesce(company_domain, time_zone, nullif(industry_code, 'unknown')) IS NULL
            THEN 'none'
            ELSE 'partial'
        END AS enrichment_status
    )
FROM filled
