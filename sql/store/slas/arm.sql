-- Clocks of a batch's leads. A lead that was routed again to somebody else begins anew, unless somebody touched it or
-- the clock moved it. Key: lead_id.
-- Inputs: new_clocks; batch_id; arrays owners, minutes, due_ats (when somebody's so many minutes of work have passed).
INSERT INTO aiqleads.sla_clocks AS c (
    lead_id, batch_id, team, owner, priority, sla_minutes, received_at, routed_at, due_at, next_step_at, had_owners
)
SELECT
    n.lead_id, :batch_id, n.team, n.owner, n.priority, n.sla_minutes, n.routed_at, n.routed_at, d.due_at, d.due_at,
    ARRAY[n.owner]
FROM new_clocks AS n
JOIN unnest(cast(:owners AS text[]), cast(:minutes AS int[]), cast(:due_ats AS timestamptz[]))
    AS d (owner, sla_minutes, due_at)
    ON d.owner = n.owner AND d.sla_minutes = n.sla_minutes
ORDER BY n.lead_id
ON CONFLICT (lead_id) DO UPDATE
SET
    team = excluded.team,
    owner = excluded.owner,
    priority = excluded.priority,
    sla_minutes = excluded.sla_minutes,
    due_at = excluded.due_at,
    next_step_at = excluded.next_step_at,
    had_owners = excluded.had_owners,
    breached_at = NULL,
    escalations_count = 0
WHERE c.touched_at IS NULL AND c.reassignments_count = 0 AND c.owner <> excluded.owner
