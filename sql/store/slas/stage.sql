-- Leads that get a clock, for the length of the transaction. Key: lead_id.
CREATE TEMP TABLE new_clocks (
    lead_id uuid, team text, owner text, priority text, sla_minutes int, routed_at timestamptz
) ON COMMIT DROP
