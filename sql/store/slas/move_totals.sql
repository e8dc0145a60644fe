-- The same in the running totals. Inputs: arrays owners, counts.
INSERT INTO aiqleads.owner_totals AS t (owner, pool, turns_count, given_count)
SELECT owner, '', 0, given_count
FROM unnest(cast(:owners AS text[]), cast(:counts AS bigint[])) AS moved (owner, given_count)
ORDER BY owner
ON CONFLICT (owner, pool) DO UPDATE SET given_count = t.given_count + excluded.given_count
