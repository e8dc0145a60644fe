-- NAICS sector by the words in a domain's own label (`acme-dental`, `smithplumbing`), for leads without an industry
-- and domains whose ending says nothing.
-- Grain: label. Key: label; labels that say nothing are left out.
-- Inputs: enrich_leads, enrich_domain_facts, enrich_industry_facts, enrich_industry_words.
CREATE OR REPLACE TEMP TABLE enrich_label_facts AS
WITH
hosts AS (
    SELECT DISTINCT unnest([l.email_domain, l.website]) AS domain
    FROM enrich_leads AS l
    LEFT JOIN enrich_industry_facts AS i ON i.text = l.industry
    WHERE i.text IS NULL
),

labels AS (
    SELECT DISTINCT
        split_part(coalesce(f.registrable, h.domain), '.', 1) AS label,
        -- Long telling words are found at the end of a label that is written as one.
        regexp_replace(
            label,
            '(construction|contracting|plumbing|roofing|landscaping|dental|dentistry|pharmacy|hospital|healthcare|realty|realestate|properties|insurance|mortgage|consulting|accounting|engineering|architects|marketing|photography|logistics|trucking|transport|software|university|college|academy|restaurant|manufacturing|wholesale|recruitment|staffing|foundation|fitness|hotels)$',
            ' \1') AS text
    FROM hosts AS h
    LEFT JOIN enrich_domain_facts AS f ON f.domain = h.domain
    WHERE h.domain IS NOT NULL AND f.kind IS NULL AND f.sector IS NULL
),

sectors AS (SELECT text, sector, confidence_share FROM enrich_sectors('labels', 1, true))

SELECT l.label, s.sector, s.confidence_share
FROM labels AS l
INNER JOIN sectors AS s USING (text)
