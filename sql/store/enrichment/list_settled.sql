-- Leads that are no longer what their batch left: a fact came later, or a gap was closed without one. Grain: lead.
SELECT lead_id
FROM aiqleads.enrichment_additions
UNION
SELECT lead_id
FROM aiqleads.enrichment_gaps
WHERE closed_at IS NOT NULL
