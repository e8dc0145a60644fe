-- Moves the totals by the difference between what the batch gives now and what it gave in an earlier run.
-- Inputs: batch_id; arrays owners, pools, turns, given.
WITH change AS (
    SELECT owner, pool, cast(sum(turns_count) AS bigint) AS turns_count, cast(sum(given_count) AS bigint) AS given_count
    FROM (
        SELECT owner, pool, turns_count, given_count
        FROM unnest(
            cast(:owners AS text[]), cast(:pools AS text[]), cast(:turns AS bigint[]), cast(:given AS bigint[])
        ) AS now (owner, pool, turns_count, given_count)
        UNION ALL
        SELECT owner, pool, -turns_count, -given_count FROM aiqleads.owner_loads WHERE batch_id = :batch_id
    ) AS both_runs
    GROUP BY owner, pool
)
INSERT INTO aiqleads.owner_totals AS t (owner, pool, turns_count, given_count)
SELECT owner, pool, turns_count, given_count FROM change WHERE turns_count <> 0 OR given_count <> 0
ORDER BY owner, pool
ON CONFLICT (owner, pool) DO UPDATE
SET turns_count = t.turns_count + excluded.turns_count, given_count = t.given_count + excluded.given_count
