-- Clocks that run or are late, the latest first. Grain: lead. Inputs: team, lead_id (null: any), row_limit.
SELECT
    lead_id, team, owner, priority, received_at, routed_at, notified_at, due_at, touched_at, breached_at,
    escalations_count, reassignments_count, had_owners
FROM aiqleads.sla_clocks
WHERE (cast(:team AS text) IS NULL OR team = :team)
    AND (lead_id = cast(:lead_id AS uuid) OR (cast(:lead_id AS uuid) IS NULL AND touched_at IS NULL))
ORDER BY breached_at IS NULL, due_at, lead_id
LIMIT :row_limit
