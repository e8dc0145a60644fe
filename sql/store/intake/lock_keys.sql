-- Which idempotency keys nobody else is at work on: theirs are this transaction's until it ends.
-- Grain: position in the arrays (from 1). Inputs: clients, keys (arrays of equal length).
SELECT asked.position, pg_try_advisory_xact_lock(hashtextextended(asked.client || chr(31) || asked.key, 3)) AS is_mine
FROM unnest(cast(:clients AS text[]), cast(:keys AS text[])) WITH ORDINALITY AS asked (client, key, position)
ORDER BY asked.position
