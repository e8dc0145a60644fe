-- Answers that are kept under some idempotency keys. Grain: position in the arrays (from 1), those without one left out.
-- Inputs: clients, keys (arrays of equal length), kept_seconds: older ones are forgotten, by the database's clock.
SELECT asked.position, kept.request_sha256, kept.status, kept.headers, kept.body
FROM unnest(cast(:clients AS text[]), cast(:keys AS text[])) WITH ORDINALITY AS asked (client, key, position)
JOIN aiqleads.idempotency_keys AS kept ON kept.client = asked.client AND kept.key = asked.key
WHERE kept.answered_at > now() - make_interval(secs => :kept_seconds)
