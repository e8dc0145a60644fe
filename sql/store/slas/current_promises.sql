-- Who has leads that the clock gave to somebody else, and when they are due now. Grain: lead. Inputs: array lead_ids.
SELECT lead_id, owner, due_at
FROM aiqleads.sla_clocks
WHERE lead_id = ANY(cast(:lead_ids AS uuid[])) AND reassignments_count > 0
