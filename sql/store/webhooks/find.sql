-- Events that are known. Grain: position in the arrays (from 1), unknown ones left out.
-- Inputs: sources, events (arrays of equal length).
SELECT asked.position, known.lead_ids
FROM unnest(cast(:sources AS text[]), cast(:events AS bytea[])) WITH ORDINALITY AS asked (source, event_sha256, position)
JOIN aiqleads.webhook_events AS known ON known.source = asked.source AND known.event_sha256 = asked.event_sha256
