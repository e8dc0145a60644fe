-- All open crawls, the oldest first.
SELECT
    scrape_id, site, state, requested_by, requested_at, started_at, finished_at, attempts_count, run_id, counts,
    drop_uri, reason_code
FROM aiqleads.scrapes
WHERE state IN ('waiting', 'running')
ORDER BY requested_at, scrape_id
