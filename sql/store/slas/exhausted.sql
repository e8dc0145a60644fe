-- Overdue leads that every member of their team has had. They stay with the last. Inputs: now; arrays teams, members.
UPDATE aiqleads.sla_clocks AS c
SET next_step_at = NULL
WHERE c.next_step_at <= :now
    AND c.touched_at IS NULL
    AND c.breached_at IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM unnest(cast(:teams AS text[]), cast(:members AS text[])) AS m (team, member)
        WHERE m.team = c.team AND m.member <> ALL(c.had_owners)
    )
