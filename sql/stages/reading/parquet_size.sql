-- How many rows a Parquet file declares and how many bytes they take unpacked.
-- Grain: one row. Inputs: variable reading_file (an escaped path).
SELECT
    coalesce(sum(row_group_num_rows) FILTER (WHERE column_id = 0), 0)::BIGINT AS rows,
    coalesce(sum(total_uncompressed_size), 0)::BIGINT AS expanded_bytes
FROM parquet_metadata(getvariable('reading_file'))
