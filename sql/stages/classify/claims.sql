-- Who gets a place's leads of each industry and size: of all territories that claim it, the one that asks for most.
-- grain: one row per claimed place, industry and size; key: kind, place, industry_code, size_segment
-- inputs: none
-- variables: classify_claims (list of kind, place, territory), classify_asks (list of territory, industries, sizes; null
--            asks for all), classify_industries, classify_sizes (every code there is)
WITH
claims AS (SELECT unnest(getvariable('classify_claims'), recursive := true)),
asks AS (SELECT unnest(getvariable('classify_asks'), recursive := true)),
cells AS (
    SELECT industry_code, size_segment
    FROM unnest(getvariable('classify_industries')) AS i(industry_code),
        unnest(getvariable('classify_sizes')) AS s(size_segment)
),
asked AS (
    SELECT
        territory, industry_code, size_segment,
        (industries IS NOT NULL)::INT + (sizes IS NOT NULL)::INT AS filters_count
    FROM asks, cells
    WHERE (industries IS NULL OR list_contains(industries, industry_code))
        AND (sizes IS NULL OR list_contains(sizes, size_segment))
)
SELECT
    kind, place, industry_code, size_segment, length(place) AS place_length,
    arg_max(territory, filters_count) AS territory
FROM claims JOIN asked USING (territory)
GROUP BY ALL
