-- Money spent: of a provider and of all, on this day and in its month (UTC). Grain: one row. Inputs: provider, day.
SELECT
    coalesce(sum(spent_usd) FILTER (WHERE day = :day AND provider = :provider), 0) AS provider_day_usd,
    coalesce(sum(spent_usd) FILTER (WHERE provider = :provider), 0) AS provider_month_usd,
    coalesce(sum(spent_usd) FILTER (WHERE day = :day), 0) AS day_usd,
    coalesce(sum(spent_usd), 0) AS month_usd
FROM aiqleads.provider_spend
WHERE day >= date_trunc('month', cast(:day AS timestamp))::date AND day <= :day
