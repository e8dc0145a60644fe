-- Every source that sent rows has one row of value, and its shares are between 0 and 1.
-- grain: source that breaks it. inputs: mart (source_value.sql), arrived (source).
SELECT source FROM arrived WHERE source NOT IN (SELECT source FROM mart)
UNION ALL SELECT source FROM mart GROUP BY source HAVING count(*) > 1
UNION ALL
SELECT source FROM mart
WHERE NOT (valid_share BETWEEN 0 AND 1 AND duplicate_share BETWEEN 0 AND 1 AND bounced_share BETWEEN 0 AND 1
    AND returned_share BETWEEN 0 AND 1 AND won_share BETWEEN 0 AND 1)
