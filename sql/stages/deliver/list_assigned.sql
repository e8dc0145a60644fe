-- Leads that a person gave to an owner, as if they had been routed: what `list_lines.sql` needs of them.
-- grain: lead_id. inputs: reviewed (lead_id, resolved_at, team, owner, sla_due_at of a batch's review queue),
-- classified; variable deliver_leads (list of lead ids).
SELECT
    reviewed.lead_id,
    classified.batch_id,
    reviewed.team,
    reviewed.owner,
    classified.priority,
    reviewed.sla_due_at,
    reviewed.resolved_at AS routed_at
FROM reviewed
JOIN classified ON classified.lead_id = reviewed.lead_id
WHERE reviewed.resolved_at IS NOT NULL AND list_contains(getvariable('deliver_leads')::UUID[], reviewed.lead_id)
