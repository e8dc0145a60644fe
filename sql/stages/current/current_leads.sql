-- Leads as they are now: as they came, and what later requests said about them. Only leads that something was said about.
-- Grain: lead. Key: lead_id. Inputs: current_validated (validated_leads), current_checked (the columns of each update as
-- the check read them; lead_id is the update's, which ascends by time), current_updates (update_id, lead_id).
--
-- The rule. E-mail, phone and LinkedIn address: the newest that was given. Consent with its time: the newest that was
-- given, so that a withdrawal counts. Counts and the last activity: the largest. All the rest: what was given first,
-- so that only empty columns are filled, and never from somebody else's facts: name parts only from who gives no other
-- last name, company facts only from who gives no other company, the address only from who gives no other country.
WITH
said AS (
    SELECT c.* EXCLUDE (lead_id, line_number, violations), u.lead_id, u.update_id::VARCHAR AS turn
    FROM current_checked AS c
    JOIN current_updates AS u ON u.update_id = c.lead_id
    SEMI JOIN current_validated AS v ON v.lead_id = u.lead_id
    UNION ALL BY NAME
    SELECT *, '' AS turn
    FROM current_validated
    SEMI JOIN current_updates USING (lead_id)
),

known AS (
    SELECT
        lead_id,
        lower(arg_min(coalesce(last_name, full_name), turn)) AS known_name,
        lower(arg_min(company_name, turn)) AS known_company,
        arg_min(country, turn) AS known_country
    FROM said
    GROUP BY lead_id
),

-- Who gives no other name, company, country than the one that is known.
fitting AS (
    SELECT
        said.*,
        coalesce(lower(coalesce(last_name, full_name)) = known_name, TRUE) AS is_same_name,
        coalesce(lower(company_name) = known_company, TRUE) AS is_same_company,
        coalesce(country = known_country, TRUE) AS is_same_country
    FROM said
    JOIN known USING (lead_id)
)

SELECT
    lead_id,
    arg_min(COLUMNS(* EXCLUDE (
        lead_id, turn, is_same_name, is_same_company, is_same_country, first_name, last_name, full_name, company_name,
        website, industry, employee_count, annual_revenue_usd, street, city, region, postal_code, country, email,
        email_domain, phone, phone_e164, phone_extension, linkedin_url, consent, consent_at, page_views_count,
        email_opens_count, form_submissions_count, last_activity_at, warnings
    )), turn),
    arg_min(COLUMNS(['first_name', 'last_name', 'full_name']), turn) FILTER (WHERE is_same_name),
    arg_min(COLUMNS(['company_name', 'website', 'industry', 'employee_count', 'annual_revenue_usd']), turn)
        FILTER (WHERE is_same_company),
    arg_min(COLUMNS(['street', 'city', 'region', 'postal_code', 'country']), turn) FILTER (WHERE is_same_country),
    arg_max(COLUMNS(['email', 'email_domain', 'linkedin_url']), turn),
    -- A number with its parts: the newest may have no extension.
    unnest(arg_max(
        {'phone': phone, 'phone_e164': phone_e164, 'phone_extension': phone_extension}, turn
    ) FILTER (WHERE phone IS NOT NULL)),
    unnest(arg_max({'consent': consent, 'consent_at': consent_at}, turn) FILTER (WHERE consent IS NOT NULL)),
    max(COLUMNS(['page_views_count', 'email_opens_count', 'form_submissions_count', 'last_activity_at'])),
    arg_min(warnings, turn) AS warnings
FROM fitting
GROUP BY lead_id
