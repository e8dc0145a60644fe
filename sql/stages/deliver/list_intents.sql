-- What is to be delivered where: the rows of the store's table `deliveries` as they begin.
-- grain: delivery_id (lead and destination). inputs: routed; variable deliver_destinations (JSON list of name,
-- goes_by_batch, teams, priorities). What goes out with its batch's file has no time of its own.
WITH destinations AS (
    SELECT unnest(
        from_json(
            getvariable('deliver_destinations'),
            '[{"name": "VARCHAR", "goes_by_batch": "BOOLEAN", "teams": ["VARCHAR"], "priorities": ["VARCHAR"]}]'
        ),
        recursive := true
    )
)
SELECT
    delivery_id(routed.lead_id, destinations.name) AS delivery_id,
    routed.lead_id,
    routed.batch_id,
    destinations.name AS destination,
    right(routed.priority, 1)::SMALLINT AS priority,
    'pending' AS state,
    CASE WHEN NOT destinations.goes_by_batch THEN routed.routed_at END AS next_attempt_at,
    routed.routed_at AS created_at
FROM routed
CROSS JOIN destinations
WHERE (destinations.teams IS NULL OR list_contains(destinations.teams, routed.team))
    AND (destinations.priorities IS NULL OR list_contains(destinations.priorities, routed.priority))
