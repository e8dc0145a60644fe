-- Grain: distinct pair of country and region as cleaned. Key: country_text, region_text ('' where empty).
-- Inputs: view raw; tables ref_country_aliases, ref_region_aliases, ref_phone_regions; variable default_country.
WITH pairs AS (
    SELECT DISTINCT coalesce(clean_cell(country), '') AS country_text, coalesce(clean_cell(region), '') AS region_text
    FROM (SELECT DISTINCT country, region FROM raw UNION ALL SELECT NULL, NULL)
),

countries AS (
    SELECT pairs.*, found.alpha2 AS own_country, coalesce(found.alpha2, getvariable('default_country')::VARCHAR) AS home_country
    FROM pairs
    LEFT JOIN ref_country_aliases AS found ON found.alias_key = fold_name(pairs.country_text)
)

SELECT
    countries.*,
    home_region.region_code,
    us_region.region_code AS us_region_code,
    phones.calling_code,
    phones.national_prefix
FROM countries
LEFT JOIN ref_region_aliases AS home_region
    ON home_region.country = countries.home_country AND home_region.alias_key = fold_name(countries.region_text)
-- Without a country the region may be a US state; its postal code then tells.
LEFT JOIN ref_region_aliases AS us_region
    ON us_region.country = 'US' AND countries.country_text = '' AND us_region.alias_key = fold_name(countries.region_text)
LEFT JOIN ref_phone_regions AS phones ON phones.country = countries.home_country
