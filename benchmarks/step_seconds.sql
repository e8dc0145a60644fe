-- grain: one step of a Dagster run, in the order they began; key: step_key
-- inputs: Dagster's event_logs; :run_id
SELECT
    step_key,
    extract(
        epoch FROM max(timestamp) FILTER (WHERE dagster_event_type = 'STEP_SUCCESS')
        - min(timestamp) FILTER (WHERE dagster_event_type = 'STEP_START')
    ) AS seconds
FROM event_logs
WHERE run_id = :run_id AND step_key IS NOT NULL
GROUP BY step_key
ORDER BY min(timestamp) FILTER (WHERE dagster_event_type = 'STEP_START')
