-- Leads that went on with less; one that is known to wait keeps its attempts. Inputs: arrays of one length; batch_id,
-- now, next_at.
INSERT INTO aiqleads.enrichment_gaps (lead_id, kind, batch_id, reason_code, opened_at, next_at)
SELECT gap.lead_id, gap.kind, :batch_id, gap.reason_code, :now, :next_at
FROM unnest(cast(:lead_ids AS uuid[]), cast(:kinds AS text[]), cast(:reason_codes AS text[]))
    AS gap (lead_id, kind, reason_code)
ORDER BY gap.lead_id, gap.kind
ON CONFLICT (lead_id, kind) DO UPDATE
SET reason_code = excluded.reason_code, next_at = excluded.next_at, closed_at = NULL
