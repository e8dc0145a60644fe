-- The companies that a routing gave an owner in an earlier run. Inputs: seq.
DELETE FROM aiqleads.accounts WHERE seq = :seq
