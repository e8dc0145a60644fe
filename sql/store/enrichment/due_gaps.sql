-- Leads whose completion is due, the oldest first. Grain: lead. Inputs: kind, now, row_limit.
SELECT lead_id, batch_id
FROM aiqleads.enrichment_gaps
WHERE kind = :kind AND next_at <= :now
ORDER BY next_at, lead_id
LIMIT :row_limit
