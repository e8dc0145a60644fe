-- Grain: distinct host whose registrable domain needs a look-up: three labels or more, or not in ASCII. Input: view raw.
SELECT DISTINCT host
FROM (SELECT web_host(clean_cell(website)) AS host FROM raw WHERE website IS NOT NULL)
WHERE is_deep_host(host)
