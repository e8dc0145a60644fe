-- Where the deliveries of a batch stand, as the view `deliveries` has it. Grain: destination and state. Inputs: batch_id.
WITH counted AS (
    SELECT destination, state, state = 'pending' AND next_attempt_at IS NULL AS goes_by_file, count(*) AS intents_count
    FROM aiqleads.outbox
    WHERE batch_id = :batch_id
    GROUP BY destination, state, goes_by_file
    UNION ALL
    SELECT destination, 'pending', true, sum(cardinality(lead_ids))
    FROM aiqleads.batch_deliveries
    WHERE batch_id = :batch_id
    GROUP BY destination
),

told AS (
    SELECT
        c.destination,
        CASE WHEN f.batch_id IS NULL THEN c.state ELSE 'delivered' END AS state,
        c.intents_count
    FROM counted AS c
    LEFT JOIN aiqleads.batch_files AS f
        ON f.batch_id = :batch_id AND f.destination = c.destination AND c.goes_by_file
)

SELECT destination, state, cast(sum(intents_count) AS bigint) AS deliveries_count
FROM told
GROUP BY destination, state
ORDER BY destination, state
