-- Grain: distinct number and country that the patterns leave to the library, and (number null) distinct leading digits of
-- the others as written abroad; a row of nulls stands for all the rest. Inputs: view raw, table checked_places.
-- Rows without a number are told apart after the join: filtered before, so few would be expected that the engine turned
-- the join round and streamed the places, by one thread.
WITH numbers AS (
    SELECT
        CASE WHEN NOT is_placeholder(phone) AND NOT is_phone_damaged(phone) THEN phone_without_extension(clean_cell(phone)) END AS number,
        phone_country,
        calling_code
    FROM raw
    LEFT JOIN checked_places AS place
        ON place.country_received = coalesce(raw.country, '') AND place.region_received = coalesce(raw.region, '')
        AND place.postal_code_received = coalesce(raw.postal_code, '')
),

digits AS (SELECT *, regexp_replace(number, '[^0-9]+', '', 'g') AS digits FROM numbers),

abroad AS (SELECT *, digits_abroad(number, digits, calling_code) AS abroad FROM digits),

judged AS (SELECT *, needs_phone_library(number, digits, abroad, phone_country, calling_code) AS needs_library FROM abroad)

SELECT DISTINCT
    CASE WHEN needs_library THEN number END AS number,
    CASE WHEN needs_library THEN phone_country END AS country,
    CASE WHEN number IS NOT NULL AND NOT needs_library THEN coalesce(left(abroad, 3), calling_code) END AS digits
FROM judged
