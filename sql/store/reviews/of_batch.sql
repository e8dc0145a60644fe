-- All leads of a batch that wait or waited for a person, with the promise of those that were given to somebody.
-- Grain: lead. Inputs: batch_id.
SELECT q.lead_id, q.reason_code, q.resolved_at, q.team, q.owner, c.due_at AS sla_due_at
FROM aiqleads.review_queue AS q
LEFT JOIN aiqleads.sla_clocks AS c ON c.lead_id = q.lead_id AND q.resolved_at IS NOT NULL
WHERE q.batch_id = :batch_id
ORDER BY q.lead_id
