-- What the conversion model may know of a lead: only what was known when it was scored. Unknown stays null.
-- grain: one row per lead; key: lead_id
-- inputs: feature_leads (ENRICHED_LEADS, result and closed_at: null for a lead that is still open)
-- variables: feature_as_of: the moment that ages are counted to; null: the day each lead was received
WITH
known AS (
    SELECT
        *,
        coalesce(getvariable('feature_as_of')::TIMESTAMPTZ, received_at) AS as_of,
        -- A lead that came here after it was closed brings activity of the time after the decision: not to be learnt from.
        closed_at IS NULL OR closed_at >= received_at AS is_before_outcome
    FROM feature_leads
)
SELECT
    lead_id, closed_at, result,
    source, source_channel, lead_source, campaign, email_kind, phone_type, country, industry_code, job_seniority,
    job_function,
    CASE WHEN is_before_outcome THEN page_views_count END::FLOAT AS page_views_count,
    CASE WHEN is_before_outcome THEN email_opens_count END::FLOAT AS email_opens_count,
    CASE WHEN is_before_outcome THEN form_submissions_count END::FLOAT AS form_submissions_count,
    CASE WHEN is_before_outcome THEN score_age_days(as_of, last_activity_at) END::FLOAT AS activity_days,
    CASE WHEN is_before_outcome THEN score_age_days(as_of, created_at) END::FLOAT AS created_days,
    CASE WHEN is_before_outcome THEN score_age_days(as_of, consent_at) END::FLOAT AS consent_days,
    ln(1 + coalesce(employee_count, size_band_floor(employee_band)))::FLOAT AS employees_log,
    ln(1 + coalesce(annual_revenue_usd, size_revenue_floor(revenue_band)))::FLOAT AS revenue_log,
    ln(1 + budget_usd)::FLOAT AS budget_log,
    ln(1 + length(message))::FLOAT AS message_length_log,
    consent::FLOAT AS is_consent,
    (product_interest IS NOT NULL)::FLOAT AS has_product_interest,
    (phone_e164 IS NOT NULL)::FLOAT AS has_phone,
    (email IS NOT NULL)::FLOAT AS has_email,
    (company_domain IS NOT NULL)::FLOAT AS has_company_domain,
    (linkedin_url IS NOT NULL)::FLOAT AS has_linkedin
FROM known
