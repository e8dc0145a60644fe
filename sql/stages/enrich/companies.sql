-- Leads with their company's domain and name and its NAICS sector.
-- Grain: lead. Key: given.lead_id. Inputs: enrich_people, enrich_domain_facts (domain), enrich_industry_facts and
-- enrich_company_facts (text), enrich_label_facts (label).
CREATE OR REPLACE TEMP VIEW enrich_companies AS
WITH
-- A domain without facts is registrable and, for all we know, its owner's own; a host of many is nobody's.
known AS (
    SELECT
        l.*,
        mail.kind AS mail_kind,
        CASE
            WHEN l.given.website IS NOT NULL AND site.kind IS NULL
            THEN CASE WHEN site.domain IS NULL THEN l.given.website ELSE site.registrable END
        END AS site_domain,
        CASE
            WHEN l.given.email_domain IS NOT NULL AND mail.kind IS NULL
            THEN CASE WHEN mail.domain IS NULL THEN l.given.email_domain ELSE mail.registrable END
        END AS mail_domain,
        CASE WHEN site_domain IS NOT NULL THEN site.sector ELSE mail.sector END AS domain_sector,
        CASE WHEN site_domain IS NOT NULL THEN site.confidence_share ELSE mail.confidence_share END
            AS domain_confidence_share
    FROM enrich_people AS l
    LEFT JOIN enrich_domain_facts AS site ON site.domain = l.given.website
    LEFT JOIN enrich_domain_facts AS mail ON mail.domain = l.given.email_domain
),

hosted AS (
    SELECT
        * EXCLUDE (site_domain, mail_domain),
        coalesce(site_domain, mail_domain) AS company_domain,
        CASE WHEN site_domain IS NOT NULL THEN 'website' WHEN mail_domain IS NOT NULL THEN 'email_domain' END
            AS company_domain_source,
        split_part(company_domain, '.', 1) AS domain_label
    FROM known
)

-- Words in names say less than an industry that the source states, words in a domain still less.
SELECT
    l.* EXCLUDE (domain_sector, domain_confidence_share),
    coalesce(i.sector, c.sector, l.domain_sector, b.sector, 'unknown') AS industry_code,
    CASE
        WHEN i.sector IS NOT NULL THEN 'industry_text'
        WHEN c.sector IS NOT NULL THEN 'company_name'
        WHEN coalesce(l.domain_sector, b.sector) IS NOT NULL THEN 'domain'
    END AS industry_code_source,
    CASE
        WHEN i.sector IS NOT NULL THEN i.confidence_share
        WHEN c.sector IS NOT NULL THEN round(0.8 * c.confidence_share, 2)
        WHEN l.domain_sector IS NOT NULL THEN l.domain_confidence_share
        WHEN b.sector IS NOT NULL THEN round(0.6 * b.confidence_share, 2)
        ELSE 0
    END AS industry_confidence_share
FROM hosted AS l
LEFT JOIN enrich_industry_facts AS i ON i.text = l.given.industry
LEFT JOIN enrich_company_facts AS c ON c.text = CASE WHEN i.text IS NULL THEN l.given.company_name END
LEFT JOIN enrich_label_facts AS b ON b.label = l.domain_label
