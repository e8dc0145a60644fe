-- One crawl. Inputs: scrape_id.
SELECT
    scrape_id, site, state, requested_by, requested_at, started_at, finished_at, attempts_count, run_id, counts,
    drop_uri, reason_code
FROM aiqleads.scrapes
WHERE scrape_id = :scrape_id
