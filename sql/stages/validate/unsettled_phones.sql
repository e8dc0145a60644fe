-- Grain: distinct number and country that the patterns leave to the library. Inputs: view raw, table checked_places.
WITH numbers AS (
    SELECT phone_without_extension(clean_cell(phone)) AS number, home_country, calling_code
    FROM raw
    JOIN checked_places AS place
        ON place.country_text = coalesce(clean_cell(raw.country), '') AND place.region_text = coalesce(clean_cell(raw.region), '')
    WHERE phone IS NOT NULL AND NOT is_placeholder(phone) AND NOT is_phone_damaged(phone)
),

digits AS (SELECT *, regexp_replace(number, '[^0-9]+', '', 'g') AS digits FROM numbers),

abroad AS (SELECT *, digits_abroad(number, digits, calling_code) AS abroad FROM digits)

SELECT DISTINCT number, home_country
FROM abroad
WHERE needs_phone_library(number, digits, abroad, home_country)
