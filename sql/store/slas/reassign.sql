-- Gives overdue leads to others: in turns among who is open now, never to one who had it. Grain: lead.
-- Inputs: now, most (reassignments of a lead), row_limit; arrays teams, positions, owners (the turns of each team from
-- 0); arrays due_owners, due_minutes, due_ats (when so many minutes of somebody's work have passed from now).
WITH taken AS (
    SELECT lead_id, team, owner, had_owners, sla_minutes, priority, due_at
    FROM aiqleads.sla_clocks
    WHERE next_step_at <= :now AND touched_at IS NULL AND breached_at IS NOT NULL AND reassignments_count < :most
    ORDER BY priority, due_at, lead_id
    LIMIT :row_limit
    FOR UPDATE SKIP LOCKED
),

-- Leads that the same people had share the same turns.
placed AS (
    SELECT *, row_number() OVER (PARTITION BY team, had_owners ORDER BY priority, due_at, lead_id) - 1 AS place
    FROM taken
),

turns AS (
    SELECT
        placed.team,
        placed.had_owners,
        given.owner,
        row_number() OVER (PARTITION BY placed.team, placed.had_owners ORDER BY given.position) - 1 AS turn,
        count(*) OVER (PARTITION BY placed.team, placed.had_owners) AS turns_count
    FROM (SELECT DISTINCT team, had_owners FROM placed) AS placed
    JOIN unnest(cast(:teams AS text[]), cast(:positions AS int[]), cast(:owners AS text[]))
        AS given (team, position, owner)
        ON given.team = placed.team AND given.owner <> ALL(placed.had_owners)
),

chosen AS (
    SELECT placed.lead_id, placed.sla_minutes, placed.owner AS old_owner, turns.owner AS new_owner
    FROM placed
    JOIN turns
        ON turns.team = placed.team
        AND turns.had_owners = placed.had_owners
        AND turns.turn = placed.place % turns.turns_count
)

UPDATE aiqleads.sla_clocks AS c
SET
    owner = chosen.new_owner,
    had_owners = c.had_owners || chosen.new_owner,
    reassignments_count = c.reassignments_count + 1,
    breached_at = NULL,
    due_at = d.due_at,
    next_step_at = d.due_at
FROM chosen
JOIN unnest(cast(:due_owners AS text[]), cast(:due_minutes AS int[]), cast(:due_ats AS timestamptz[]))
    AS d (owner, sla_minutes, due_at)
    ON d.owner = chosen.new_owner AND d.sla_minutes = chosen.sla_minutes
WHERE c.lead_id = chosen.lead_id
RETURNING c.lead_id, c.batch_id, c.team, c.owner, chosen.old_owner, c.priority, c.due_at
