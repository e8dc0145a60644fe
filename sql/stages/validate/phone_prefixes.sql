-- Grain: one row, a column for each pattern of digits that have a meaning of their own. Input: ref_phone_regions.
SELECT
    -- `^:` matches nothing: no country of the batch needs care.
    coalesce('^(?:' || string_agg(country || '(?:' || special || ')', '|' ORDER BY country) FILTER (
        special IS NOT NULL AND country <> '001'
        AND country IN (SELECT phone_country FROM checked_places)) || ')', '^:') AS phone_special_national,
    '^(?:' || max(special) FILTER (country = '001') || ')' AS phone_special_abroad,
    '^(' || max(zero_codes) FILTER (country = '001') || ')0' AS phone_zero_codes
FROM ref_phone_regions
