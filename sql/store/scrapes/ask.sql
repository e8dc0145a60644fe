-- A crawl of a site, unless one is open. Grain: the crawl. Inputs: scrape_id, site, requested_by, now.
INSERT INTO aiqleads.scrapes (scrape_id, site, state, requested_by, requested_at)
VALUES (:scrape_id, :site, 'waiting', :requested_by, :now)
ON CONFLICT (site) WHERE state IN ('waiting', 'running') DO NOTHING
