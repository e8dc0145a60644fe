-- A contact stops its lead's clock; an earlier one, heard of later, counts. Inputs: lead_id, contacted_at.
UPDATE aiqleads.sla_clocks
SET touched_at = least(touched_at, :contacted_at), next_step_at = NULL
WHERE lead_id = :lead_id AND (touched_at IS NULL OR touched_at > :contacted_at)
