-- An open crawl begins, or begins anew after a kill. Inputs: scrape_id, run_id, now.
UPDATE aiqleads.scrapes
SET state = 'running', run_id = :run_id, started_at = :now, attempts_count = attempts_count + 1
WHERE scrape_id = :scrape_id AND state IN ('waiting', 'running')
RETURNING attempts_count
