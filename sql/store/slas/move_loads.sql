-- Leads that changed their owner, in the owners' loads: kept apart from what batches give. Key: batch_id, owner, pool.
-- Inputs: load_id; arrays owners, counts (may be negative).
INSERT INTO aiqleads.owner_loads AS l (batch_id, owner, pool, turns_count, given_count)
SELECT :load_id, owner, '', 0, given_count
FROM unnest(cast(:owners AS text[]), cast(:counts AS bigint[])) AS moved (owner, given_count)
ORDER BY owner
ON CONFLICT (batch_id, owner, pool) DO UPDATE SET given_count = l.given_count + excluded.given_count
