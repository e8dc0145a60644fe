-- A running crawl ends. Inputs: scrape_id, state, counts (JSON), drop_uri, reason_code, now.
UPDATE aiqleads.scrapes
SET
    state = :state, counts = cast(:counts AS jsonb), drop_uri = :drop_uri, reason_code = :reason_code,
    finished_at = :now
WHERE scrape_id = :scrape_id AND state IN ('waiting', 'running')
