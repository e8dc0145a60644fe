-- NAICS sector by the words in a company's name, where the lead's industry text settles none.
-- Grain: name. Key: text; names that say nothing are left out.
-- Inputs: enrich_leads, enrich_industry_facts, enrich_industry_words.
CREATE OR REPLACE TEMP TABLE enrich_company_facts AS
WITH
companies AS (
    SELECT DISTINCT l.company_name AS text
    FROM enrich_leads AS l
    LEFT JOIN enrich_industry_facts AS f ON f.text = l.industry
    WHERE l.company_name IS NOT NULL AND f.text IS NULL
)

SELECT text, sector, confidence_share FROM enrich_sectors('companies', 1, true)
