-- The best open leads of each owner: by score, raised or lowered by how often the owner won leads of that industry, size
-- and seniority, against how often leads are won (an owner's record counts against 10 leads of the mean).
-- grain: owner, lead. key: lead_id. inputs: story (closed_story.sql), scores (lead_id, lead_score, priority: as of now).
WITH
mean AS (SELECT greatest(count(*) FILTER (result = 'won'), 1) / greatest(count(result), 1) AS share FROM story),
facts AS (
    SELECT lead_id, owner, result, unnest([
        {'fact': 'industry', 'value': industry_name}, {'fact': 'size', 'value': employee_band},
        {'fact': 'seniority', 'value': job_seniority}]) AS f
    FROM story WHERE owner IS NOT NULL
),
records AS (
    SELECT
        owner, f.fact AS fact, f.value AS value,
        ln(((count(*) FILTER (result = 'won') + 10 * any_value(m.share)) / (count(result) + 10)) / any_value(m.share)) AS likeness
    FROM facts, mean AS m
    WHERE f.value IS NOT NULL
    GROUP BY ALL
),
likened AS (
    SELECT
        a.lead_id,
        round(10 * sum(r.likeness), 2) AS likeness_points,
        arg_max(r.fact || ' ' || r.value, r.likeness) FILTER (r.likeness > 0.05) AS most_alike
    FROM facts AS a
    INNER JOIN records AS r ON r.owner = a.owner AND r.fact = a.f.fact AND r.value = a.f.value
    WHERE a.result IS NULL
    GROUP BY a.lead_id
)
SELECT
    s.owner, s.team, s.lead_id, s.source, s.industry_name, s.territory,
    coalesce(n.priority, s.priority) AS priority,
    coalesce(n.lead_score, s.lead_score) AS lead_score,
    coalesce(l.likeness_points, 0) AS likeness_points,
    coalesce(n.lead_score, s.lead_score) + coalesce(l.likeness_points, 0) AS recommendation_score,
    coalesce('Alike to what ' || s.owner || ' won: ' || l.most_alike, 'The score alone') AS because,
    row_number() OVER (PARTITION BY s.owner ORDER BY coalesce(n.lead_score, s.lead_score) + coalesce(l.likeness_points, 0)
        DESC, s.lead_id) AS place
FROM story AS s
LEFT JOIN likened AS l USING (lead_id)
LEFT JOIN scores AS n USING (lead_id)
WHERE s.owner IS NOT NULL AND s.result IS NULL
QUALIFY place <= 20
ORDER BY s.owner, place
