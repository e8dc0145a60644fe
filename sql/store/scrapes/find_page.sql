-- What is known of a page. Inputs: site, url_sha256.
SELECT url, etag, last_modified, content_sha256, leads_sha256, rules_sha256, links, fetched_at
FROM aiqleads.scrape_pages
WHERE site = :site AND url_sha256 = :url_sha256
