-- What asking each provider brought and cost. Calls are forgotten after a while, money is not. Grain: provider.
-- Inputs: none.
WITH calls AS (
    SELECT
        provider,
        count(*) AS calls_count,
        count(*) FILTER (WHERE outcome <> 'answered') AS failed_calls_count,
        sum(facts_count) AS facts_count,
        sum(refused_facts_count) AS refused_facts_count
    FROM aiqleads.provider_calls
    GROUP BY provider
),
spent AS (
    SELECT provider, sum(spent_usd) AS cost_usd FROM aiqleads.provider_spend WHERE provider <> '' GROUP BY provider
)
SELECT
    provider,
    coalesce(c.calls_count, 0)::bigint AS calls_count,
    coalesce(c.failed_calls_count, 0)::bigint AS failed_calls_count,
    coalesce(c.facts_count, 0)::bigint AS facts_count,
    coalesce(c.refused_facts_count, 0)::bigint AS refused_facts_count,
    coalesce(s.cost_usd, 0)::double precision AS cost_usd
FROM calls AS c FULL JOIN spent AS s USING (provider)
ORDER BY provider
