-- Takes the slots that left the window away: what they held, by client; and the time by the database's clock, which is
-- read here, after the lock, so that it never runs backwards for a client. Grain: the client; one row of null more.
-- Inputs: clients, window_ms, now_ms (null: the database's clock).
WITH
clock AS (SELECT coalesce(:now_ms, floor(extract(EPOCH FROM clock_timestamp()) * 1000))::bigint AS now_ms),

gone AS (
    DELETE FROM aiqleads.lead_quota_slots
    USING clock
    WHERE client = ANY(:clients) AND ends_at_ms <= clock.now_ms - :window_ms
    RETURNING client, leads_count
)

SELECT gone.client, clock.now_ms, cast(sum(gone.leads_count) AS bigint) AS leads_count
FROM clock
LEFT JOIN gone ON TRUE
GROUP BY gone.client, clock.now_ms
