-- The promises that overdue leads were given. Grain: sla_minutes. Inputs: now.
SELECT DISTINCT sla_minutes
FROM aiqleads.sla_clocks
WHERE next_step_at <= :now AND touched_at IS NULL AND breached_at IS NOT NULL
