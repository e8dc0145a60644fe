-- Events that are taken in; one that somebody else took in meanwhile breaks the key. In the key's order, so that two
-- who bring the same events wait for each other and never both. Key: source, event_sha256.
-- Inputs: sources, events, lead_ids (arrays of equal length; of `lead_ids` each is one array as text).
-- The time is the database's, as it is when they are forgotten.
INSERT INTO aiqleads.webhook_events (source, event_sha256, lead_ids, received_at)
SELECT new.source, new.event_sha256, cast(new.lead_ids AS uuid[]), now()
FROM unnest(cast(:sources AS text[]), cast(:events AS bytea[]), cast(:lead_ids AS text[]))
    AS new (source, event_sha256, lead_ids)
ORDER BY new.source, new.event_sha256
