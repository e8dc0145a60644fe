-- Age of the oldest delivery that waits, by destination.
-- grain: destination. inputs: deliveries.
SELECT
    destination,
    count(*) FILTER (WHERE state = 'pending') AS pending_count,
    count(*) FILTER (WHERE state = 'dead') AS dead_count,
    count(*) AS deliveries_count,
    coalesce(extract(epoch FROM now() - min(created_at) FILTER (WHERE state = 'pending')) / 3600, 0) AS oldest_hours
FROM aiqleads.deliveries
GROUP BY destination
ORDER BY destination
