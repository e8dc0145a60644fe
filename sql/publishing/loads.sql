-- How many leads each owner gets, and how many of them are urgent. grain: owner. inputs: compared.
WITH each AS (
    SELECT owner_before AS owner, 'before' AS side, priority_before AS priority FROM compared
    UNION ALL SELECT owner_after, 'after', priority_after FROM compared
)
SELECT
    owner,
    count(*) FILTER (side = 'before') AS before, count(*) FILTER (side = 'after') AS after,
    count(*) FILTER (side = 'before' AND priority = 'P1') AS p1_before,
    count(*) FILTER (side = 'after' AND priority = 'P1') AS p1_after
FROM each GROUP BY owner ORDER BY after DESC, owner
