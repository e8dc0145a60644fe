-- Made-up enriched leads; each fact is missing in some of them.
-- grain: lead. key: lead_id, ascending. inputs: none. variables: bench_leads (how many), bench_batch.
WITH
dice AS (
    SELECT
        i,
        hash(i, 1) % 100000 / 100000 AS r1, hash(i, 2) % 100000 / 100000 AS r2, hash(i, 3) % 100000 / 100000 AS r3,
        hash(i, 4) % 100000 / 100000 AS r4, hash(i, 5) % 100000 / 100000 AS r5, hash(i, 6) % 100000 / 100000 AS r6,
        hash(i, 7) % 100000 / 100000 AS r7, hash(i, 8) % 100000 / 100000 AS r8, hash(i, 9) % 100000 / 100000 AS r9,
        hash(i, 10) % 100000 / 100000 AS r0
    FROM range(getvariable('bench_leads')::BIGINT) AS t(i)
)
SELECT
    format('{:08x}-0000-8000-8000-000000000000', i)::UUID AS lead_id,
    getvariable('bench_batch') AS batch_id,
    i + 1 AS row_number,
    ['web', 'fair', 'ads', 'partner'][1 + (r1 * 4)::INT % 4] AS source,
    'upload' AS source_channel,
    TIMESTAMPTZ '2026-01-01 00:00:00+00' - to_hours((r2 * 5000)::INT) AS received_at,
    CASE WHEN r3 < 0.8 THEN 'Ann ' || i END AS full_name,
    CASE WHEN r4 < 0.6 THEN 'CEO' END AS job_title,
    CASE WHEN r5 < 0.9 THEN 'a' || i || '@company' || (i % 90000) || '.com' END AS email,
    ['business', 'free', 'role', 'disposable'][1 + (r6 * 4)::INT % 4] AS email_kind,
    'company' || (i % 90000) || '.com' AS company_domain,
    CASE WHEN r7 < 0.7 THEN 'Company ' || (i % 90000) END AS company_name,
    CASE WHEN r6 < 0.5 THEN '+14155550100' END AS phone_e164,
    CASE WHEN r7 < 0.8 THEN ['US', 'DE', 'BR', 'KZ'][1 + (r8 * 4)::INT % 4] END AS country,
    CASE WHEN r8 < 0.8 THEN ['51', '72', '11', 'unknown'][1 + (r9 * 4)::INT % 4] END AS industry_code,
    CASE WHEN r9 < 0.6 THEN ['1-10', '201-500', '10001+'][1 + (r0 * 3)::INT % 3] END AS employee_band,
    CASE WHEN r0 < 0.6 THEN ['c_level', 'staff', 'junior'][1 + (r1 * 3)::INT % 3] END AS job_seniority,
    CASE WHEN r1 < 0.6 THEN ['sales', 'hr'][1 + (r2 * 2)::INT % 2] END AS job_function,
    CASE WHEN r2 < 0.3 THEN 'Please send a quote to me' WHEN r2 < 0.4 THEN 'unsubscribe' END AS message,
    CASE WHEN r3 < 0.3 THEN 'Pro' END AS product_interest,
    CASE WHEN r4 < 0.5 THEN round(exp(r5 * 14)) END AS budget_usd,
    CASE WHEN r6 < 0.7 THEN (r7 * 40)::BIGINT END AS page_views_count,
    CASE WHEN r7 < 0.5 THEN (r8 * 15)::BIGINT END AS email_opens_count,
    CASE WHEN r8 < 0.5 THEN (r9 * 5)::BIGINT END AS form_submissions_count,
    CASE WHEN r9 < 0.6 THEN received_at - to_days((r3 * 200)::INT) END AS last_activity_at,
    CASE WHEN r0 < 0.6 THEN received_at - to_days((r4 * 400)::INT) END AS created_at,
    r1 < 0.5 AS consent,
    [] AS warnings,
    [] AS degraded,
    'complete' AS enrichment_status
FROM dice
