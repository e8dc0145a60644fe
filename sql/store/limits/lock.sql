-- The totals of these clients, locked in the order of their names, so that two group commits can't wait for each other.
-- Whoever stops in mid-transaction (a frozen process) is thrown out by the server, or it would lock its clients for ever.
-- Inputs: clients, idle_ms (text).
SELECT client, used_count, max_count
FROM aiqleads.lead_quotas
WHERE
    client = ANY(:clients)
    AND (SELECT set_config('idle_in_transaction_session_timeout', :idle_ms, TRUE)) IS NOT NULL
ORDER BY client
FOR UPDATE
