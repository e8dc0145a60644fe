-- The parts of a lead's score but conversion, each 0-100, beside the facts that they and their reasons are built from.
-- grain: one row per accepted lead; key: lead_id
-- inputs: score_enriched (ENRICHED_LEADS), score_reliability (see reliability.sql),
--         score_touches (existing_lead_id, touches_count), score_probabilities (lead_id, conversion_prob; may be empty)
-- variables: score_as_of, score_run and the rules (score_fields, score_freshness ...), see stages.score
WITH
fit_industry AS (SELECT unnest(getvariable('score_fit_industries'), recursive := true)),
fit_size AS (SELECT unnest(getvariable('score_fit_sizes'), recursive := true)),
fit_country AS (SELECT unnest(getvariable('score_fit_countries'), recursive := true)),
fit_seniority AS (SELECT unnest(getvariable('score_fit_seniorities'), recursive := true)),
fit_function AS (SELECT unnest(getvariable('score_fit_functions'), recursive := true)),
of_source AS (SELECT unnest(getvariable('score_segment_sources'), recursive := true)),
-- The weights of each segment of scoring.yaml; `bit` is 1, 2, 4 ... in their order, the last one takes every lead.
segment_weights AS (SELECT unnest(getvariable('score_segment_weights'), recursive := true)),
by_source AS (FROM score_reliability WHERE segment_code IS NULL),
by_segment AS (FROM score_reliability WHERE segment_code IS NOT NULL),
facts AS (
    SELECT
        e.lead_id, e.batch_id, e.source, e.received_at, e.email, e.email_kind, e.phone, e.phone_e164, e.company_name,
        e.job_title, e.website, e.company_domain, e.employee_band, e.revenue_band, e.country, e.city, e.postal_code,
        e.linkedin_url, e.consent, e.product_interest, e.budget_usd, e.page_views_count, e.email_opens_count,
        e.form_submissions_count, e.degraded,
        CASE WHEN e.industry_code = 'unknown' THEN NULL
             WHEN e.industry_code IS NOT NULL THEN coalesce(fi.fit, getvariable('score_run').unlisted_fit) END AS industry_fit,
        CASE WHEN e.employee_band IS NOT NULL THEN coalesce(fs.fit, getvariable('score_run').unlisted_fit) END AS size_fit,
        CASE WHEN e.country IS NOT NULL THEN coalesce(fc.fit, getvariable('score_run').unlisted_fit) END AS country_fit,
        CASE WHEN e.job_seniority IS NOT NULL THEN coalesce(fe.fit, getvariable('score_run').unlisted_fit) END AS seniority_fit,
        CASE WHEN e.job_function IS NOT NULL THEN coalesce(ff.fit, getvariable('score_run').unlisted_fit) END AS function_fit,
        s.reliability_score, s.closed_count,
        coalesce(g.historical_score, s.historical_score) AS known_history_score,
        coalesce(t.touches_count, 0) AS touches_count,
        p.conversion_prob AS model_prob,
        score_age_days(getvariable('score_as_of'), e.last_activity_at) AS activity_days,
        score_age_days(getvariable('score_as_of'), e.created_at) AS created_days,
        score_age_days(getvariable('score_as_of'), e.consent_at) AS consent_days,
        score_age_days(getvariable('score_as_of'), e.received_at) AS received_days,
        e.first_name IS NOT NULL AND e.last_name IS NOT NULL OR e.full_name IS NOT NULL AS has_person,
        nullif(trim(e.message), '') AS said,
        (e.page_views_count > 0 OR e.email_opens_count > 0 OR e.form_submissions_count > 0) IS TRUE AS has_acted,
        coalesce(e.page_views_count, e.email_opens_count, e.form_submissions_count) IS NOT NULL AS is_tracked,
        -- The segments that each fact allows, as bits.
        coalesce(fi.segments, getvariable('score_run').other_industries)
            & coalesce(fs.segments, getvariable('score_run').other_sizes)
            & coalesce(fc.segments, getvariable('score_run').other_countries)
            & coalesce(os.segments, getvariable('score_run').other_sources) AS segments
    FROM score_enriched AS e
    LEFT JOIN fit_industry AS fi ON fi.code = e.industry_code
    LEFT JOIN fit_size AS fs ON fs.code = e.employee_band
    LEFT JOIN fit_country AS fc ON fc.code = e.country
    LEFT JOIN fit_seniority AS fe ON fe.code = e.job_seniority
    LEFT JOIN fit_function AS ff ON ff.code = e.job_function
    LEFT JOIN of_source AS os ON os.code = e.source
    LEFT JOIN by_source AS s ON s.source = e.source
    LEFT JOIN by_segment AS g
        ON g.source = e.source AND g.segment_code = score_segment(e.industry_code, e.employee_band)
    LEFT JOIN score_touches AS t ON t.existing_lead_id = e.lead_id
    LEFT JOIN score_probabilities AS p ON p.lead_id = e.lead_id
),
signals AS (
    SELECT
        *,
        coalesce(regexp_matches(said, getvariable('score_intent').buying_pattern, 'i'), false) AS is_buying,
        coalesce(regexp_matches(said, getvariable('score_intent').interest_pattern, 'i'), false) AS is_interest,
        coalesce(regexp_matches(said, getvariable('score_intent').against_pattern, 'i'), false) AS is_against,
        -- What the rules need at least: one fact that they judge, beside which of the contact's fields are filled in.
        touches_count > 0 OR is_tracked OR coalesce(
            industry_fit, size_fit, country_fit, seniority_fit, function_fit, reliability_score, known_history_score,
            budget_usd, activity_days, created_days, consent_days) IS NOT NULL
            OR coalesce(said, product_interest) IS NOT NULL AS is_judgeable
    FROM facts
),
parts AS (
    SELECT
        *,
        score_kept(100 * (
            score_field_weight('email') * CASE email_kind
                WHEN 'business' THEN getvariable('score_email_kinds').business
                WHEN 'role' THEN getvariable('score_email_kinds').role
                WHEN 'free' THEN getvariable('score_email_kinds').free
                WHEN 'disposable' THEN getvariable('score_email_kinds').disposable
                ELSE (email IS NOT NULL)::DOUBLE END
            + score_field_weight('phone')
                * CASE WHEN phone_e164 IS NOT NULL THEN 1 WHEN phone IS NOT NULL THEN 0.5 ELSE 0 END
            + score_field_weight('person_name') * has_person::DOUBLE
            + score_field_weight('job_title') * (job_title IS NOT NULL)::DOUBLE
            + score_field_weight('company_name') * (company_name IS NOT NULL)::DOUBLE
            + score_field_weight('website') * (coalesce(website, company_domain) IS NOT NULL)::DOUBLE
            + score_field_weight('industry') * (industry_fit IS NOT NULL)::DOUBLE
            + score_field_weight('company_size') * (coalesce(employee_band, revenue_band) IS NOT NULL)::DOUBLE
            + score_field_weight('country') * (country IS NOT NULL)::DOUBLE
            + score_field_weight('city_or_postal_code') * (coalesce(city, postal_code) IS NOT NULL)::DOUBLE
            + score_field_weight('message') * (said IS NOT NULL)::DOUBLE
            + score_field_weight('budget') * (budget_usd IS NOT NULL)::DOUBLE
            + score_field_weight('linkedin_url') * (linkedin_url IS NOT NULL)::DOUBLE
            + score_field_weight('consent') * (consent IS TRUE)::DOUBLE
        ) / getvariable('score_run').fields_weight) AS completeness_score,
        score_kept(coalesce(
            100 * (
                coalesce(getvariable('score_freshness').last_activity_weight * score_fade(activity_days,
                    getvariable('score_freshness').last_activity_half_life_days), 0)
                + coalesce(getvariable('score_freshness').created_weight * score_fade(created_days,
                    getvariable('score_freshness').created_half_life_days), 0)
                + coalesce(getvariable('score_freshness').consent_weight * score_fade(consent_days,
                    getvariable('score_freshness').consent_half_life_days), 0)
            ) / nullif(
                getvariable('score_freshness').last_activity_weight * (activity_days IS NOT NULL)::DOUBLE
                + getvariable('score_freshness').created_weight * (created_days IS NOT NULL)::DOUBLE
                + getvariable('score_freshness').consent_weight * (consent_days IS NOT NULL)::DOUBLE, 0),
            score_neutral('freshness') * score_fade(received_days,
                getvariable('score_freshness').received_half_life_days)
        )) AS freshness_score,
        score_kept(coalesce(reliability_score, score_neutral('source_reliability'))) AS source_reliability_score,
        -- Anything done lifts the score above neutral; counted and nothing done is 0; not counted is neutral.
        score_kept(CASE
            WHEN has_acted OR activity_days IS NOT NULL THEN score_neutral('engagement')
                + (100 - score_neutral('engagement')) / 100 * (
                    getvariable('score_engagement').page_views_points
                        * score_capped(page_views_count, getvariable('score_engagement').page_views_cap)
                    + getvariable('score_engagement').email_opens_points
                        * score_capped(email_opens_count, getvariable('score_engagement').email_opens_cap)
                    + getvariable('score_engagement').form_submissions_points
                        * score_capped(form_submissions_count, getvariable('score_engagement').form_submissions_cap)
                    + CASE WHEN activity_days IS NULL THEN 0
                           ELSE getvariable('score_engagement').recent_activity_points END
                ) * score_fade(coalesce(activity_days, getvariable('score_engagement').undated_age_days),
                        getvariable('score_engagement').half_life_days)
            WHEN is_tracked THEN 0
            ELSE score_neutral('engagement')
        END) AS engagement_score,
        score_kept((
            getvariable('score_icp_weights').industry * coalesce(industry_fit, score_neutral('segment_fit'))
            + getvariable('score_icp_weights').size * coalesce(size_fit, score_neutral('segment_fit'))
            + getvariable('score_icp_weights').country * coalesce(country_fit, score_neutral('segment_fit'))
            + getvariable('score_icp_weights').seniority * coalesce(seniority_fit, score_neutral('segment_fit'))
            + getvariable('score_icp_weights').function * coalesce(function_fit, score_neutral('segment_fit'))
        ) / getvariable('score_run').icp_weight) AS segment_fit_score,
        score_kept(CASE
            WHEN budget_usd IS NULL THEN score_neutral('budget_fit')
            WHEN budget_usd < getvariable('score_budget').ideal_from_usd
                THEN 100 * budget_usd / getvariable('score_budget').ideal_from_usd
            WHEN budget_usd > getvariable('score_budget').ideal_to_usd
                THEN 100 - (100 - getvariable('score_budget').above_fit)
                    * least(log10(budget_usd / getvariable('score_budget').ideal_to_usd), 1)
            ELSE 100
        END) AS budget_fit_score,
        score_kept(
            score_neutral('intent')
            + getvariable('score_intent').message * (said IS NOT NULL)::DOUBLE
            + getvariable('score_intent').product_interest * (product_interest IS NOT NULL)::DOUBLE
            + getvariable('score_intent').budget * (budget_usd > 0 IS TRUE)::DOUBLE
            + getvariable('score_intent').per_form_submission
                * least(coalesce(form_submissions_count, 0), getvariable('score_intent').form_submissions_cap)
            + getvariable('score_intent').per_touch
                * least(touches_count, getvariable('score_intent').touches_cap)
            + getvariable('score_intent').buying_points * is_buying::DOUBLE
            + getvariable('score_intent').interest_points * is_interest::DOUBLE
            + getvariable('score_intent').against_points * is_against::DOUBLE
        ) AS intent_score,
        score_kept(coalesce(known_history_score, score_neutral('historical'))) AS historical_score
    FROM signals
)
SELECT p.*, w.* EXCLUDE (bit)
FROM parts AS p
INNER JOIN segment_weights AS w ON w.bit = p.segments & -p.segments  -- the first of its segments
