-- Ends what a person said of a lead. Inputs: lead_id, now.
UPDATE aiqleads.score_overrides SET expires_at = greatest(:now, set_at + interval '1 microsecond')
WHERE lead_id = :lead_id AND expires_at > :now
