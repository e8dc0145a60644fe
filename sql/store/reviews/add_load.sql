-- A lead given by hand: kept apart from what its batch gives in turns. Inputs: load_id, owner.
INSERT INTO aiqleads.owner_loads AS l (batch_id, owner, pool, turns_count, given_count)
VALUES (:load_id, :owner, '', 0, 1)
ON CONFLICT (batch_id, owner, pool) DO UPDATE SET given_count = l.given_count + 1
