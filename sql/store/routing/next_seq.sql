-- The number of the next routing that adds accounts. Grain: one row. Inputs: none.
SELECT coalesce(max(seq), 0) + 1 FROM aiqleads.accounts
