-- Everything that has become overdue: marked, and told. Grain: lead.
-- Inputs: now; arrays owners, next_steps (when the next step follows, by the owner's hours).
UPDATE aiqleads.sla_clocks AS c
SET breached_at = :now, escalations_count = c.escalations_count + 1, next_step_at = coalesce(later.next_step_at, :now)
FROM aiqleads.sla_clocks AS due
LEFT JOIN unnest(cast(:owners AS text[]), cast(:next_steps AS timestamptz[])) AS later (owner, next_step_at)
    ON later.owner = due.owner
WHERE due.lead_id = c.lead_id
    AND c.touched_at IS NULL
    AND c.breached_at IS NULL
    AND c.next_step_at <= :now
RETURNING c.lead_id, c.team, c.owner, c.priority, c.due_at, c.reassignments_count
