-- Industry, size and territory of each lead, beside the facts that the decision table of priorities asks for.
-- grain: one row per accepted lead; key: lead_id
-- inputs: classify_enriched (ENRICHED_LEADS), classify_scored (SCORED_LEADS), classify_places (claims.sql)
-- variables: classify_minimums (of the size segments), classify_sectors (list of code, name), classify_postal (list of
--            country, lengths: how long the claimed beginnings are; longest: the longest of all), classify_default
WITH
sectors AS (SELECT unnest(getvariable('classify_sectors'), recursive := true)),
postal_lengths AS (SELECT unnest(getvariable('classify_postal'), recursive := true)),
leads AS (
    SELECT
        * EXCLUDE (industry_code),
        coalesce(industry_code, 'unknown') AS industry_code,
        size_segment(coalesce(employee_count, size_band_floor(employee_band)),
            coalesce(annual_revenue_usd, size_revenue_floor(revenue_band)),
            getvariable('classify_minimums')) AS size_segment,
        coalesce(country, nullif(regexp_extract(region, '^([A-Z]{2})-[A-Z0-9]{1,3}$', 1), '')) AS place_country,
        left(territory_postal_key(place_country, postal_code), getvariable('classify_longest')) AS postal_key
    FROM (
        SELECT
            lead_id, batch_id, source, source_channel, email_kind, country, region, postal_code, company_domain,
            employee_count, employee_band, annual_revenue_usd, revenue_band, budget_usd, job_seniority, job_function,
            industry_code
        FROM classify_enriched
    )
),
postal_claims AS (
    SELECT l.postal_key, l.industry_code, l.size_segment, arg_max(c.territory, c.place_length) AS territory
    FROM (
        SELECT DISTINCT place_country, postal_key, industry_code, size_segment
        FROM leads WHERE postal_key IS NOT NULL
    ) AS l
    JOIN postal_lengths AS n ON n.country = l.place_country
    JOIN classify_places AS c
        ON c.kind = 'postal_code' AND c.place = left(l.postal_key, n.length)
        AND c.industry_code = l.industry_code AND c.size_segment = l.size_segment
    GROUP BY ALL
),
by_account AS (FROM classify_places WHERE kind = 'account'),
by_region AS (FROM classify_places WHERE kind = 'region'),
by_country AS (FROM classify_places WHERE kind = 'country'),
by_world AS (FROM classify_places WHERE kind = 'worldwide'),
claimed AS (
    SELECT
        l.*,
        n.name AS industry_name,
        CASE WHEN a.territory IS NOT NULL THEN 'account' WHEN p.territory IS NOT NULL THEN 'postal_code'
             WHEN r.territory IS NOT NULL THEN 'region' WHEN c.territory IS NOT NULL THEN 'country'
             WHEN w.territory IS NOT NULL THEN 'worldwide' ELSE 'default' END AS territory_matched_on,
        coalesce(a.territory, p.territory, r.territory, c.territory, w.territory,
            getvariable('classify_default')) AS territory
    FROM leads AS l
    LEFT JOIN sectors AS n ON n.code = l.industry_code
    LEFT JOIN by_account AS a
        ON a.place = l.company_domain AND a.industry_code = l.industry_code AND a.size_segment = l.size_segment
    LEFT JOIN postal_claims AS p
        ON p.postal_key = l.postal_key AND p.industry_code = l.industry_code AND p.size_segment = l.size_segment
    LEFT JOIN by_region AS r
        ON r.place = l.region AND r.industry_code = l.industry_code AND r.size_segment = l.size_segment
    LEFT JOIN by_country AS c
        ON c.place = l.place_country AND c.industry_code = l.industry_code AND c.size_segment = l.size_segment
    LEFT JOIN by_world AS w ON w.industry_code = l.industry_code AND w.size_segment = l.size_segment
)
SELECT
    c.*,
    s.lead_score, s.quality_score, s.segment_fit_score, s.budget_fit_score, s.intent_score, s.engagement_score,
    s.freshness_score, s.conversion_prob,
    [[]::VARCHAR[], ['industry'], ['size'], ['industry', 'size'], ['territory'], ['industry', 'territory'],
        ['size', 'territory'], ['industry', 'size', 'territory']][
        1 + (industry_code = 'unknown')::INT + 2 * (size_segment = 'unknown')::INT
        + 4 * (territory_matched_on = 'default')::INT] AS defaults_applied,
    []::VARCHAR[] AS degraded
FROM claimed AS c
JOIN classify_scored AS s ON s.lead_id = c.lead_id
