-- Leads that nobody touched in time. Grain: team.
SELECT team, count(*) AS late_count, min(due_at) AS since
FROM aiqleads.sla_clocks
WHERE touched_at IS NULL AND breached_at IS NOT NULL
GROUP BY team
