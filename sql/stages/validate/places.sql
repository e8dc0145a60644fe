-- Grain: distinct pair of country and region as received. Key: country_received, region_received ('' where empty).
-- Inputs: view raw; tables ref_country_aliases, ref_region_aliases, ref_phone_regions; variable default_country.
WITH pairs AS (
    SELECT
        country_received, region_received,
        coalesce(clean_cell(country_received), '') AS country_text, coalesce(clean_cell(region_received), '') AS region_text,
        -- NA is Namibia (or Naples), N/A is nothing.
        CASE WHEN NOT is_placeholder(country_text) OR lower(country_text) = 'na' THEN fold_name(country_text) END AS country_key,
        CASE WHEN NOT is_placeholder(region_text) OR lower(region_text) = 'na' THEN fold_name(region_text) END AS region_key
    FROM (
        SELECT DISTINCT coalesce(country, '') AS country_received, coalesce(region, '') AS region_received FROM raw
        UNION
        SELECT '', ''
    )
),

countries AS (
    SELECT pairs.*, found.alpha2 AS own_country, coalesce(found.alpha2, getvariable('default_country')::VARCHAR) AS home_country
    FROM pairs
    LEFT JOIN ref_country_aliases AS found ON found.alias_key = pairs.country_key
)

SELECT
    countries.*,
    home_region.region_code,
    us_region.region_code AS us_region_code,
    -- Whose numbers these are: a US state without a country is enough, since the number must then be valid there.
    coalesce(home_country, CASE WHEN us_region.region_code IS NOT NULL THEN 'US' END) AS phone_country,
    phones.calling_code,
    phones.national_prefix
FROM countries
LEFT JOIN ref_region_aliases AS home_region
    ON home_region.country = countries.home_country AND home_region.alias_key = countries.region_key
-- Without a country the region may be a US state; its postal code then tells.
LEFT JOIN ref_region_aliases AS us_region
    ON us_region.country = 'US' AND countries.country_text = '' AND us_region.alias_key = countries.region_key
LEFT JOIN ref_phone_regions AS phones ON phones.country = coalesce(countries.home_country, CASE WHEN us_region.region_code IS NOT NULL THEN 'US' END)
