-- Grain: distinct host whose registrable domain needs a look-up: three labels or more, or not in ASCII. Input: view raw.
SELECT DISTINCT web_host(clean_cell(website)) AS host
FROM raw
WHERE is_deep_host(web_host(clean_cell(website)))
