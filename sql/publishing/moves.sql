-- Who moves: pairs of before and after that differ. grain: what, before, after. inputs: compared.
WITH pairs AS (
    SELECT 'priority' AS what, priority_before AS before, priority_after AS after FROM compared
    UNION ALL SELECT 'territory', territory_before, territory_after FROM compared
    UNION ALL SELECT 'team', team_before, team_after FROM compared
    UNION ALL SELECT 'owner', owner_before, owner_after FROM compared
    UNION ALL SELECT 'rule', rule_before, rule_after FROM compared
)
SELECT what, before, after, count(*) AS leads
FROM pairs WHERE before <> after GROUP BY ALL ORDER BY what, leads DESC, before, after
