-- When enough places are free: the end of the first slot that makes room for :needed_count as the oldest leave the window
-- (null if all of them don't), and the end of the newest. Inputs: client, needed_count.
SELECT
    (
        SELECT summed.ends_at_ms
        FROM (
            SELECT ends_at_ms, sum(leads_count) OVER (ORDER BY ends_at_ms) AS freed_count
            FROM aiqleads.lead_quota_slots
            WHERE client = :client
        ) AS summed
        WHERE summed.freed_count >= :needed_count
        ORDER BY summed.ends_at_ms
        LIMIT 1
    ) AS room_ms,
    (SELECT max(ends_at_ms) FROM aiqleads.lead_quota_slots WHERE client = :client) AS newest_ms
