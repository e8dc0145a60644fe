-- The columns of a table with their types. Grain: column. Inputs: table (as in SQL; temporary tables too).
SELECT a.attname AS name, t.typname AS type
FROM pg_attribute AS a
INNER JOIN pg_type AS t ON a.atttypid = t.oid
WHERE a.attrelid = cast(:table AS regclass) AND a.attnum > 0 AND NOT a.attisdropped
