-- The totals of these clients, locked in the order of their names, so that two group commits can't wait for each other.
-- Inputs: clients.
SELECT client, used_count, max_count
FROM aiqleads.lead_quotas
WHERE client = ANY(:clients)
ORDER BY client
FOR UPDATE
