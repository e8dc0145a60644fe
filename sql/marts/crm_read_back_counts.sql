-- How the records of each CRM compare with what was sent.
-- grain: destination. key: destination. inputs: read_back.
SELECT
    destination,
    count(*) AS compared_count,
    count(*) FILTER (WHERE state = 'same') AS same_count,
    count(*) FILTER (WHERE state = 'differs') AS differs_count,
    count(*) FILTER (WHERE state = 'missing') AS missing_count,
    count(*) FILTER (WHERE is_repaired) AS repaired_count,
    count(*) FILTER (WHERE state <> 'same' AND NOT is_repaired) AS left_count,
    count(*) FILTER (WHERE owner_now IS DISTINCT FROM owner_before AND owner_now IS NOT NULL) AS owner_changes_count,
    count(*) FILTER (WHERE is_new_ending AND result = 'won') AS won_count,
    count(*) FILTER (WHERE is_new_ending AND result = 'lost') AS lost_count,
    count(*) FILTER (WHERE is_new_ending AND result = 'returned') AS returned_count,
    coalesce(sum(revenue_usd) FILTER (WHERE is_new_ending), 0) AS revenue_usd
FROM read_back
GROUP BY destination
ORDER BY destination
