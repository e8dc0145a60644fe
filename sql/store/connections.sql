-- How many connections there are, of all databases of the server, and how many it takes but for superusers' own.
-- Grain: one row.
SELECT
    (SELECT sum(numbackends) FROM pg_stat_database)::int AS used_count,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0) AS most_count
