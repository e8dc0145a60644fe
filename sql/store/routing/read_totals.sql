-- What was given so far, without what this batch itself gave in an earlier run. Grain: owner and pool (owner '': the
-- pool's turns). Inputs: batch_id.
SELECT
    t.owner,
    t.pool,
    t.turns_count - coalesce(l.turns_count, 0) AS turns_count,
    t.given_count - coalesce(l.given_count, 0) AS given_count,
    t.closed_count
FROM aiqleads.owner_totals AS t
LEFT JOIN aiqleads.owner_loads AS l ON l.batch_id = :batch_id AND l.owner = t.owner AND l.pool = t.pool
ORDER BY t.owner, t.pool
