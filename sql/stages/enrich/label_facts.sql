-- NAICS sector by the words in a domain's own label (`acme-dental`, `smithplumbing`) whose ending says nothing.
-- Grain: label. Key: label; labels that say nothing are left out. Inputs: enrich_domain_facts, enrich_industry_words.
WITH
labels AS (
    SELECT DISTINCT
        label,
        -- Long telling words are found at the end of a label that is written as one.
        regexp_replace(
            label,
            '(construction|contracting|plumbing|roofing|landscaping|dental|dentistry|pharmacy|hospital|healthcare|realty|realestate|properties|insurance|mortgage|consulting|accounting|engineering|architects|marketing|photography|logistics|trucking|transport|software|university|college|academy|restaurant|manufacturing|wholesale|recruitment|staffing|foundation|fitness|hotels)$',
            ' \1') AS text
    FROM enrich_domain_facts
    WHERE label IS NOT NULL AND sector IS NULL
),

sectors AS (SELECT text, sector, confidence_share FROM enrich_sectors('labels', 1, true))

SELECT l.label, s.sector, s.confidence_share
FROM labels AS l
INNER JOIN sectors AS s USING (text)
