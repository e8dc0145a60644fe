-- Leads with city, region and country filled from postal code, region or number, and the facts of the place.
-- Grain: lead. Key: given.lead_id. Inputs: enrich_phones, ref_us_postal_codes, ref_region_facts, ref_country_facts.
CREATE OR REPLACE TEMP VIEW enrich_places AS
WITH
asked AS (
    SELECT
        *,
        -- Five digits may be a US postal code if no other country is named; what else must fit is in the join.
        CASE
            WHEN coalesce(given.country, 'US') IN ('US', 'PR', 'VI', 'GU', 'AS', 'MP')
                AND length(given.postal_code) IN (5, 9, 10)
            THEN given.postal_code[:5]
        END AS zip,
        CASE WHEN coalesce(given.country, phone_region[:2]) = phone_region[:2] THEN phone_region END
            AS own_phone_region,
        -- A number of a service, or of a call by internet, is answered anywhere.
        CASE WHEN phone_type IN ('fixed_line', 'fixed_line_or_mobile', 'mobile') THEN phone_country END AS phone_home
    FROM enrich_phones
),

zipped AS (
    SELECT
        l.*,
        z.city AS zip_city, z.county, z.latitude_deg, z.longitude_deg, z.time_zone AS zip_zone,
        coalesce(l.given.region, z.region_code, l.own_phone_region) AS region,
        CASE
            WHEN l.given.region IS NOT NULL THEN 'given'
            WHEN z.region_code IS NOT NULL THEN 'postal_code'
            WHEN l.own_phone_region IS NOT NULL THEN 'phone_number'
        END AS region_source
    FROM asked AS l
    LEFT JOIN ref_us_postal_codes AS z
        ON z.postal_code = l.zip
        AND (
            l.given.region IS NULL OR l.given.region NOT LIKE 'US-%'
            OR l.given.region IN (z.region_code, z.region_code[4:])
        )
        AND (
            l.given.country IS NOT NULL OR l.given.region IN (z.region_code, z.region_code[4:])
            OR l.phone_home = 'US' OR l.given.postal_code LIKE '_____-____'
            OR enrich_place(l.given.city) = enrich_place(z.city)
        )
),

regioned AS (
    SELECT
        l.*,
        r.name AS region_name,
        r.time_zone AS region_zone,
        coalesce(l.given.country, CASE WHEN l.zip_zone IS NOT NULL THEN 'US' END, r.code[:2], l.phone_home) AS country,
        CASE
            WHEN l.given.country IS NOT NULL THEN 'given'
            WHEN l.zip_zone IS NOT NULL THEN 'postal_code'
            WHEN r.code IS NOT NULL AND l.region_source = 'given' THEN 'region'
            WHEN coalesce(r.code, l.phone_home) IS NOT NULL THEN 'phone_number'
        END AS country_source
    FROM zipped AS l
    LEFT JOIN ref_region_facts AS r ON r.code = l.region
)

-- The most exact place that is known tells the time zone; a number only if it is of the lead's own country.
SELECT
    l.* EXCLUDE (zip, own_phone_region, phone_home),
    c.name AS country_name,
    coalesce(
        l.zip_zone, l.region_zone, CASE WHEN l.phone_country = l.country THEN l.phone_zone END, c.time_zone
    ) AS time_zone,
    CASE
        WHEN l.zip_zone IS NOT NULL THEN 'postal_code'
        WHEN l.region_zone IS NOT NULL THEN 'region'
        WHEN l.phone_country = l.country AND l.phone_zone IS NOT NULL THEN 'phone_number'
        WHEN c.time_zone IS NOT NULL THEN 'country'
    END AS time_zone_source
FROM regioned AS l
LEFT JOIN ref_country_facts AS c ON c.code = l.country
