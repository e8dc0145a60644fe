-- Open leads that are to be scored again: something was heard of them, or their source turned out otherwise.
-- grain: open lead. key: lead_id. inputs: open_now (ENRICHED_LEADS), signalled (lead_id), moved (source).
FROM open_now
WHERE lead_id IN (FROM signalled) OR source IN (FROM moved)
