-- Clocks that somebody stopped: a contact, or an outcome. Only those that still run are looked at. Grain: clock.
WITH heard AS (
    SELECT c.lead_id, least(
        (SELECT min(t.contacted_at) FROM aiqleads.lead_contacts AS t WHERE t.lead_id = c.lead_id),
        (SELECT o.closed_at FROM aiqleads.outcomes AS o WHERE o.lead_id = c.lead_id)
    ) AS touched_at
    FROM aiqleads.sla_clocks AS c
    WHERE c.touched_at IS NULL AND c.next_step_at IS NOT NULL AND c.next_step_at <= :now
)
UPDATE aiqleads.sla_clocks AS c
SET touched_at = heard.touched_at, next_step_at = NULL
FROM heard
WHERE heard.lead_id = c.lead_id AND heard.touched_at IS NOT NULL
