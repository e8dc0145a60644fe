-- Every provider that was asked has one row of value, and its shares are between 0 and 1.
-- grain: provider that breaks it. inputs: mart (provider_value.sql), spent (provider).
SELECT provider FROM spent WHERE provider NOT IN (SELECT provider FROM mart)
UNION ALL SELECT provider FROM mart GROUP BY provider HAVING count(*) > 1
UNION ALL
SELECT provider FROM mart
WHERE NOT (valid_share BETWEEN 0 AND 1 AND bounced_share BETWEEN 0 AND 1 AND returned_share BETWEEN 0 AND 1
    AND won_share BETWEEN 0 AND 1)
