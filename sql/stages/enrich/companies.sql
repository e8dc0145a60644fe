-- Leads with their company's domain, web site, name and NAICS sector.
-- Grain: lead. Key: lead_id. Inputs: enrich_people, enrich_domain_facts (domain), enrich_industry_facts and
-- enrich_company_facts (text), enrich_label_facts (label).
WITH
-- The company is whose web site is named, else whose mail domain it is; a host of many is nobody's own.
hosted AS (
    SELECT
        l.* EXCLUDE (website),
        mail.kind AS mail_kind,
        site.kind IS NULL AND site.registrable IS NOT NULL AS has_site,
        mail.kind IS NULL AND mail.registrable IS NOT NULL AS has_mail,
        CASE WHEN has_site THEN site.registrable WHEN has_mail THEN mail.registrable END AS company_domain,
        CASE WHEN has_site THEN 'website' WHEN has_mail THEN 'email_domain' END AS company_domain_source,
        coalesce(l.website, company_domain) AS website,
        CASE WHEN l.website IS NOT NULL THEN 'given' ELSE company_domain_source END AS website_source,
        CASE WHEN has_site THEN site.company_name WHEN has_mail THEN mail.company_name END AS domain_name,
        CASE WHEN has_site THEN site.label WHEN has_mail THEN mail.label END AS domain_label,
        CASE WHEN has_site THEN site.sector WHEN has_mail THEN mail.sector END AS domain_sector,
        CASE WHEN has_site THEN site.confidence_share WHEN has_mail THEN mail.confidence_share END
            AS domain_confidence_share
    FROM enrich_people AS l
    LEFT JOIN enrich_domain_facts AS site ON site.domain = l.website
    LEFT JOIN enrich_domain_facts AS mail ON mail.domain = l.email_domain
)

-- Words in names say less than an industry that the source states, words in a domain still less.
SELECT
    l.* EXCLUDE (company_name),
    coalesce(l.company_name, l.domain_name) AS company_name,
    CASE WHEN l.company_name IS NOT NULL THEN 'given' WHEN l.domain_name IS NOT NULL THEN 'domain' END
        AS company_name_source,
    coalesce(i.sector, c.sector, l.domain_sector, b.sector, 'unknown') AS industry_code,
    CASE
        WHEN i.sector IS NOT NULL THEN 'industry_text'
        WHEN c.sector IS NOT NULL THEN 'company_name'
        WHEN coalesce(l.domain_sector, b.sector) IS NOT NULL THEN 'domain'
    END AS industry_code_source,
    round(CASE
        WHEN i.sector IS NOT NULL THEN i.confidence_share
        WHEN c.sector IS NOT NULL THEN 0.8 * c.confidence_share
        WHEN l.domain_sector IS NOT NULL THEN l.domain_confidence_share
        WHEN b.sector IS NOT NULL THEN 0.6 * b.confidence_share
        ELSE 0
    END, 2) AS industry_confidence_share
FROM hosted AS l
LEFT JOIN enrich_industry_facts AS i ON i.text = l.industry
LEFT JOIN enrich_company_facts AS c ON c.text = CASE WHEN i.text IS NULL THEN l.company_name END
LEFT JOIN enrich_label_facts AS b ON b.label = l.domain_label
