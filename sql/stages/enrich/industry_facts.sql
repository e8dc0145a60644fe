-- NAICS sector of an industry as a source words it: a NAICS or SIC code, a known name, a NAICS title, telling words.
-- Grain: industry text. Key: text; texts that say nothing are left out.
-- Inputs: enrich_leads, enrich_industry_words, ref_industry_codes, ref_industry_names.
CREATE OR REPLACE TEMP TABLE enrich_industry_facts AS
WITH
industries AS (SELECT DISTINCT industry AS text FROM enrich_leads WHERE industry IS NOT NULL),

parsed AS (
    SELECT
        text,
        enrich_words(text) AS words,
        regexp_extract(lower(text), '^\W*(?:(naics|sic)\D{0,12})?(\d{2,6})(?:-\d\d)?\b', ['system', 'code']) AS given
    FROM industries
),

named AS (
    SELECT enrich_words(name) AS words, any_value(sector) AS sector, max(confidence_share::DOUBLE) AS confidence_share
    FROM ref_industry_names
    GROUP BY ALL
),

titled AS (
    SELECT title AS words, any_value(sector) AS sector
    FROM ref_industry_codes
    WHERE title IS NOT NULL
    GROUP BY title
),

by_words AS (SELECT text, sector, confidence_share FROM enrich_sectors('industries', -1, false)),

-- Four digits may be NAICS or SIC (5411: law offices or grocery stores); unless the text says which, NAICS is likelier.
coded AS (
    SELECT
        p.text,
        CASE WHEN p.given.system = 'sic' THEN s.sector ELSE coalesce(n.sector, s.sector) END AS sector,
        CASE
            WHEN p.given.system <> '' THEN 1.0
            WHEN n.sector IS NOT NULL AND s.sector IS NOT NULL AND n.sector <> s.sector THEN 0.6
            ELSE 0.95
        END AS confidence_share
    FROM parsed AS p
    LEFT JOIN ref_industry_codes AS n
        ON n.system = 'naics' AND n.code = p.given.code AND p.given.system <> 'sic'
    LEFT JOIN ref_industry_codes AS s
        ON s.system = 'sic' AND length(p.given.code) IN (3, 4) AND s.code = left(lpad(p.given.code, 4, '0'), 2)
        AND p.given.system <> 'naics'
    WHERE p.given.code <> ''
)

SELECT
    p.text,
    coalesce(c.sector, n.sector, t.sector, w.sector) AS sector,
    CASE
        WHEN c.sector IS NOT NULL THEN c.confidence_share
        WHEN n.sector IS NOT NULL THEN n.confidence_share
        WHEN t.sector IS NOT NULL THEN 0.95
        ELSE w.confidence_share
    END AS confidence_share
FROM parsed AS p
LEFT JOIN coded AS c ON c.text = p.text
LEFT JOIN named AS n ON n.words = p.words
LEFT JOIN titled AS t ON t.words = p.words
LEFT JOIN by_words AS w ON w.text = p.text
WHERE coalesce(c.sector, n.sector, t.sector, w.sector) IS NOT NULL
