-- Whether the database has room again: writes a large object of 256 KB that ends with the transaction.
WITH room AS (
    SELECT lo_from_bytea(0, convert_to(string_agg(md5(random()::text), ''), 'UTF8')) AS object
    FROM generate_series(1, 8192)
)
SELECT lo_unlink(object) FROM room
