-- How providers do, by the calls that are kept (30 days). Grain: provider and kind. Key: provider, kind.
SELECT
    c.provider,
    c.kind,
    count(*) AS calls_count,
    count(*) FILTER (WHERE c.outcome <> 'answered') AS failed_calls_count,
    sum(c.keys_count) FILTER (WHERE c.outcome = 'answered') AS keys_count,
    sum(c.known_count) AS known_count,
    sum(c.known_count)::float8 / nullif(sum(c.keys_count) FILTER (WHERE c.outcome = 'answered'), 0) AS hit_share,
    sum(c.facts_count) AS facts_count,
    sum(c.refused_facts_count) AS refused_facts_count,
    sum(c.cost_usd) AS cost_usd,
    sum(c.cost_usd) / nullif(sum(c.facts_count), 0) AS cost_per_fact_usd,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY c.seconds) AS p50_seconds,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY c.seconds) AS p95_seconds,
    max(c.started_at) AS last_call_at,
    coalesce(max(s.breaker), 'closed') AS breaker,
    max(s.open_until) AS open_until,
    max(s.last_error_code) AS last_error_code
FROM aiqleads.provider_calls AS c
LEFT JOIN aiqleads.provider_states AS s ON s.provider = c.provider
GROUP BY c.provider, c.kind
