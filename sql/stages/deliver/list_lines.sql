-- The leads of a destination as receivers get them, one line of JSON per lead.
-- grain: lead_id. inputs: routed, enriched, scored, classified; variables deliver_to (name), deliver_teams,
-- deliver_priorities (lists; null: all). Times are ISO 8601 in UTC; what is not known is null.
-- The reasons are JSON as they come: put in as text, for to_json would parse and write them again (half of the time).
SELECT
    '{"delivery_id":"' || delivery_id(r.lead_id, getvariable('deliver_to'))
    || '","lead_id":"' || r.lead_id
    || '","reasons":' || coalesce(s.reasons, '[]')
    || ',' || substr(to_json({
        'source': e.source,
        'external_id': e.external_id,
        'team': r.team,
        'owner': r.owner,
        'priority': r.priority,
        'sla_due_at': strftime(r.sla_due_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ'),
        'lead_score': round(s.lead_score, 2),
        'contact': {
            'first_name': e.first_name,
            'last_name': e.last_name,
            'full_name': e.full_name,
            'job_title': e.job_title,
            'email': e.email,
            'phone': coalesce(e.phone_e164, e.phone),
            'linkedin_url': e.linkedin_url,
            'street': e.street,
            'city': e.city,
            'region': e.region,
            'postal_code': e.postal_code,
            'country': e.country,
            'consent': e.consent
        },
        'company': {
            'name': e.company_name,
            'domain': e.company_domain,
            'industry_code': c.industry_code,
            'industry_name': c.industry_name,
            'size_segment': c.size_segment,
            'employee_count': e.employee_count,
            'annual_revenue_usd': e.annual_revenue_usd
        },
        'interest': {
            'message': e.message,
            'product_interest': e.product_interest,
            'budget_usd': e.budget_usd,
            'campaign': e.campaign
        }
    })::VARCHAR, 2)
    || chr(10) AS line
FROM routed AS r
JOIN enriched AS e ON e.lead_id = r.lead_id
JOIN scored AS s ON s.lead_id = r.lead_id
JOIN classified AS c ON c.lead_id = r.lead_id
WHERE (getvariable('deliver_teams')::VARCHAR[] IS NULL OR list_contains(getvariable('deliver_teams')::VARCHAR[], r.team))
    AND (
        getvariable('deliver_priorities')::VARCHAR[] IS NULL
        OR list_contains(getvariable('deliver_priorities')::VARCHAR[], r.priority)
    )
