-- The clock of a lead given by hand: the promise begins with the decision. Key: lead_id.
-- Inputs: lead_id, batch_id, team, owner, priority, sla_minutes, opened_at (the lead began to wait), due_at, now.
INSERT INTO aiqleads.sla_clocks AS c (
    lead_id, batch_id, team, owner, priority, sla_minutes, received_at, routed_at, due_at, next_step_at, had_owners
)
VALUES (
    :lead_id, :batch_id, :team, :owner, :priority, :sla_minutes, :opened_at, :now, :due_at, :due_at,
    ARRAY[cast(:owner AS varchar)]
)
ON CONFLICT (lead_id) DO NOTHING
