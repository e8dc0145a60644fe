-- An even sample of a large table for checks that look at rows one by one; always the same rows of the same file.
-- grain: row. inputs: sampled.
FROM sampled USING SAMPLE reservoir(20000 ROWS) REPEATABLE (1)
