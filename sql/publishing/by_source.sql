-- What changes for each source. grain: source. inputs: compared.
SELECT
    source, count(*) AS leads,
    round(avg(score_before), 2) AS score_before, round(avg(score_after), 2) AS score_after,
    count(*) FILTER (priority_after < priority_before) AS more_urgent,
    count(*) FILTER (priority_after > priority_before) AS less_urgent,
    count(*) FILTER (owner_after <> owner_before) AS other_owner
FROM compared GROUP BY source ORDER BY leads DESC, source
