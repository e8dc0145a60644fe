-- Grain: distinct country, region and postal code as received. Key: country_received, region_received,
-- postal_code_received ('' where empty). Inputs: view raw; tables ref_country_aliases, ref_region_aliases,
-- ref_phone_regions; variables default_country, zip_states.
WITH texts AS (
    SELECT
        *,
        clean_cell(country_received) AS country_text,
        clean_cell(region_received) AS region_text,
        clean_cell(postal_code_received) AS postal_code_text
    FROM (
        SELECT DISTINCT
            coalesce(country, '') AS country_received, coalesce(region, '') AS region_received,
            coalesce(postal_code, '') AS postal_code_received
        FROM raw
        UNION
        SELECT '', '', ''
    )
),

keys AS (
    SELECT
        *,
        -- NA is Namibia (or Naples), N/A is nothing.
        CASE WHEN NOT is_placeholder(country_text) OR lower(country_text) = 'na' THEN fold_name(country_text) END AS country_key,
        CASE WHEN NOT is_placeholder(region_text) OR lower(region_text) = 'na' THEN fold_name(region_text) END AS region_key
    FROM texts
),

countries AS (
    SELECT keys.*, found.alpha2 AS own_country, coalesce(found.alpha2, getvariable('default_country')::VARCHAR) AS home_country
    FROM keys
    LEFT JOIN ref_country_aliases AS found ON found.alias_key = keys.country_key
),

regions AS (
    SELECT
        countries.*,
        home_region.region_code AS home_region_code,
        us_region.region_code AS us_region_code,
        -- Which postal codes are read as American: the row says US, or its region is a US state and it names no country.
        CASE WHEN own_country = 'US' OR (country_text IS NULL AND (
            starts_with(home_region.region_code, 'US-') OR (home_region.region_code IS NULL AND us_region.region_code IS NOT NULL)))
            THEN padded_zip(postal_code_text) END AS zip
    FROM countries
    LEFT JOIN ref_region_aliases AS home_region
        ON home_region.country = countries.home_country AND home_region.alias_key = countries.region_key
    -- Without a country the region may be a US state; its postal code then tells.
    LEFT JOIN ref_region_aliases AS us_region
        ON us_region.country = 'US' AND countries.country_text IS NULL AND us_region.alias_key = countries.region_key
),

zips AS (SELECT *, coalesce(getvariable('zip_states')[TRY_CAST(left(zip, 3) AS INTEGER) + 1], []) AS zip_states FROM regions),

named AS (
    SELECT
        *,
        CASE
            WHEN country_text IS NOT NULL THEN own_country
            WHEN home_region_code IS NOT NULL THEN home_country
            WHEN us_region_code IS NOT NULL AND list_contains(zip_states, us_region_code[4:]) THEN 'US'
        END AS country,
        CASE WHEN country_text IS NULL OR own_country IS NOT NULL THEN home_region_code END AS own_region_code
    FROM zips
),

coded AS (
    SELECT
        *,
        CASE WHEN country = 'US' THEN coalesce(own_region_code, us_region_code) ELSE own_region_code END AS region_code
    FROM named
),

read AS (
    SELECT
        *,
        CASE
            WHEN is_placeholder(postal_code_text) THEN NULL
            WHEN country IS DISTINCT FROM 'US' THEN tidy_postal_code(postal_code_text, country)
            WHEN NOT starts_with(zip, '0') OR starts_with(postal_code_text, '0') THEN zip
            WHEN region_code IS NULL AND len(zip_states) > 0 THEN zip
            WHEN list_contains(zip_states, region_code[4:]) THEN zip
        END AS postal_read
    FROM coded
),

valued AS (
    SELECT
        *,
        coalesce(region_code, CASE WHEN NOT is_placeholder(region_text) THEN left(region_text, 500) END) AS region,
        CASE WHEN country = 'US' OR is_postal_code(postal_read, country) THEN postal_read END AS postal_code
    FROM read
)

SELECT
    country_received, region_received, postal_code_received,
    valued.country, valued.region, valued.postal_code,
    CASE
        WHEN country_text IS NULL OR valued.country IS NOT NULL THEN NULL
        WHEN is_placeholder(country_text) THEN 'placeholder_value'
        ELSE 'invalid_country'
    END AS e_country,
    CASE
        WHEN region_text IS NULL OR region_code IS NOT NULL THEN NULL
        WHEN is_placeholder(region_text) THEN 'placeholder_value'
        WHEN valued.country IN ('US', 'CA', 'AU') THEN 'invalid_region'
    END AS e_region,
    CASE
        WHEN postal_code_text IS NULL THEN NULL
        WHEN postal_code IS NULL AND is_placeholder(postal_code_text) THEN 'placeholder_value'
        WHEN postal_code IS NULL THEN 'invalid_postal_code'
        WHEN postal_code[1] = '0' AND postal_code_text[1] <> '0' THEN 'leading_zero_restored'
    END AS e_postal_code,
    home_country IS NULL AS names_no_country,
    -- Whose numbers these are: a US state without a country is enough, since the number must then be valid there.
    coalesce(home_country, CASE WHEN us_region_code IS NOT NULL THEN 'US' END) AS phone_country,
    phones.calling_code,
    phones.national_prefix
FROM valued
LEFT JOIN ref_phone_regions AS phones
    ON phones.country = coalesce(valued.home_country, CASE WHEN valued.us_region_code IS NOT NULL THEN 'US' END)
