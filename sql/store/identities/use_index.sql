-- For the length of the transaction: look keys up in the index. A list of 100,000 looks like half the table to the
-- planner, which then reads all of it once per list; in order, the index takes 0.2 microseconds a key.
SELECT set_config('enable_seqscan', 'off', true)
