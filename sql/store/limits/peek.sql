-- What a client has used within the window, without a lock. Inputs: client, window_ms, now_ms (null: the clock).
WITH clock AS (SELECT coalesce(:now_ms, floor(extract(EPOCH FROM clock_timestamp()) * 1000))::bigint AS now_ms)

SELECT
    cast(coalesce(sum(s.leads_count), 0) AS bigint) AS used_count,
    (SELECT max_count FROM aiqleads.lead_quotas WHERE client = :client) AS max_count,
    max(s.ends_at_ms) + :window_ms - max(clock.now_ms) AS reset_ms
FROM clock
LEFT JOIN aiqleads.lead_quota_slots AS s ON s.client = :client AND s.ends_at_ms > clock.now_ms - :window_ms
