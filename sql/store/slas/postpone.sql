-- Overdue leads that nobody took: looked at again when somebody of the team opens, or never (nobody is left, or the
-- bound is reached). Inputs: now, most; arrays teams, again_ats (null: never).
UPDATE aiqleads.sla_clocks AS c
SET next_step_at = CASE WHEN c.reassignments_count < :most THEN again.again_at END
FROM aiqleads.sla_clocks AS late
LEFT JOIN unnest(cast(:teams AS text[]), cast(:again_ats AS timestamptz[])) AS again (team, again_at)
    ON again.team = late.team
WHERE late.lead_id = c.lead_id AND c.next_step_at <= :now AND c.touched_at IS NULL AND c.breached_at IS NOT NULL
