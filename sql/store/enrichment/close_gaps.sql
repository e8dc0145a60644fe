-- Leads that are complete, by kind. Inputs: kind, lead_ids, now.
UPDATE aiqleads.enrichment_gaps
SET next_at = NULL, closed_at = :now
WHERE kind = :kind AND lead_id = ANY(cast(:lead_ids AS uuid[]))
