-- What the batch gives. Key: batch_id, owner, pool. Inputs: batch_id; arrays owners, pools, turns, given.
INSERT INTO aiqleads.owner_loads (batch_id, owner, pool, turns_count, given_count)
SELECT :batch_id, owner, pool, turns_count, given_count
FROM unnest(cast(:owners AS text[]), cast(:pools AS text[]), cast(:turns AS bigint[]), cast(:given AS bigint[]))
    AS now (owner, pool, turns_count, given_count)
