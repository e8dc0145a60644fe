-- Population stability of what leads are like and of their score: the last days against the time before.
-- PSI = sum over values of (share now - share before) x ln(share now / share before); each share is smoothed by half a lead.
-- grain: feature. key: feature. inputs: drift_leads (ENRICHED_LEADS facts, lead_score, is_now).
WITH
facts AS (
    SELECT
        is_now,
        coalesce(source, 'unknown') AS source,
        coalesce(country, 'unknown') AS country,
        coalesce(industry_code, 'unknown') AS industry_code,
        coalesce(employee_band, 'unknown') AS employee_band,
        coalesce(job_seniority, 'unknown') AS job_seniority,
        coalesce(job_function, 'unknown') AS job_function,
        coalesce(email_kind, 'unknown') AS email_kind,
        coalesce(least(floor(log2(1 + page_views_count)), 6)::VARCHAR, 'unknown') AS page_views_count,
        coalesce(least(form_submissions_count, 5)::VARCHAR, 'unknown') AS form_submissions_count,
        coalesce(least(floor(log10(1 + budget_usd)), 8)::VARCHAR, 'unknown') AS budget_usd,
        (message IS NOT NULL)::VARCHAR AS has_message,
        (phone_e164 IS NOT NULL)::VARCHAR AS has_phone,
        least(floor(lead_score / 10), 9)::VARCHAR AS lead_score
    FROM drift_leads
),
long AS (
    FROM facts UNPIVOT (value FOR feature IN (
        source, country, industry_code, employee_band, job_seniority, job_function, email_kind, page_views_count,
        form_submissions_count, budget_usd, has_message, has_phone, lead_score))
),
counted AS (
    SELECT
        feature, value,
        count(*) FILTER (is_now) AS now_count, count(*) FILTER (NOT is_now) AS before_count
    FROM long GROUP BY ALL
),
shared AS (
    SELECT
        feature, now_count, before_count,
        (now_count + 0.5) / (sum(now_count) OVER f + 0.5 * count(*) OVER f) AS now_share,
        (before_count + 0.5) / (sum(before_count) OVER f + 0.5 * count(*) OVER f) AS before_share
    FROM counted
    WINDOW f AS (PARTITION BY feature)
)
SELECT
    feature,
    round(sum((now_share - before_share) * ln(now_share / before_share)), 4) AS psi,
    count(*) AS values_count,
    sum(now_count)::BIGINT AS now_count,
    sum(before_count)::BIGINT AS before_count
FROM shared GROUP BY feature ORDER BY psi DESC, feature
