-- Grain: lead that repeats a known one. Key: lead_id. Inputs: views checked, groups, held; table match_rules.
WITH repeats AS (
    SELECT groups.lead_id, coalesce(held.existing_lead_id, groups.survivor_lead_id) AS existing_lead_id, groups.kind
    FROM groups
    LEFT JOIN held ON held.lead_id = groups.survivor_lead_id
    UNION ALL
    SELECT lead_id, existing_lead_id, kind FROM held
)

SELECT
    checked.lead_id,
    checked.batch_id,
    checked.row_number,
    repeats.existing_lead_id,
    match_rules.name AS matched_on,
    match_rules.score AS match_score
FROM repeats
JOIN checked ON checked.lead_id = repeats.lead_id
JOIN match_rules ON match_rules.kind = repeats.kind
