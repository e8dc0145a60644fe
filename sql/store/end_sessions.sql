-- Ends the sessions of a former holder: they may be stopped with a transaction open and would block their successor.
-- Grain: ended session. Inputs: session.
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE application_name = :session AND datname = current_database() AND pid <> pg_backend_pid()
