-- Services that are left alone because they fail. Grain: service. Inputs: array providers (those that are asked at all).
SELECT 'destination ' || destination AS service, failures_count, failing_since AS since
FROM aiqleads.delivery_lanes
WHERE state = 'on' AND opened_count > 0 AND open_until IS NOT NULL
UNION ALL
SELECT 'enrichment:' || provider, opens_count, open_until
FROM aiqleads.provider_states
WHERE breaker <> 'closed' AND provider = ANY(cast(:providers AS text[]))
