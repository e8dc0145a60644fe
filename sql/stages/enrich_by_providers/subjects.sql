-- Whom to ask about: what most leads wait for comes first. Grain: subject. Key: subject_id. Input: provider_wanted.
SELECT
    subject_id,
    any_value(kind) AS kind,
    any_value(fields) AS fields,
    any_value(company_domain) AS company_domain,
    any_value(company_name) AS company_name,
    any_value(email) AS email,
    any_value(email_domain) AS email_domain,
    any_value(phone_e164) AS phone_e164,
    any_value(place) AS place,
    count(*) AS leads_count
FROM provider_wanted
GROUP BY subject_id
ORDER BY leads_count DESC, subject_id
