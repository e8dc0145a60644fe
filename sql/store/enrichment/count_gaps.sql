-- Leads that wait for completion. Grain: kind and reason.
SELECT kind, reason_code, count(*) AS leads_count, min(next_at) AS next_at
FROM aiqleads.enrichment_gaps
WHERE next_at IS NOT NULL
GROUP BY kind, reason_code
ORDER BY kind, reason_code
