-- A lead given by hand. Inputs: owner.
INSERT INTO aiqleads.owner_totals AS t (owner, pool, turns_count, given_count)
VALUES (:owner, '', 0, 1)
ON CONFLICT (owner, pool) DO UPDATE SET given_count = t.given_count + 1
