-- The open crawl of a site. Grain: the crawl. Inputs: site.
SELECT
    scrape_id, site, state, requested_by, requested_at, started_at, finished_at, attempts_count, run_id, counts,
    drop_uri, reason_code
FROM aiqleads.scrapes
WHERE site = :site AND state IN ('waiting', 'running')
