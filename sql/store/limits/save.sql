-- The totals as they are now, and what was taken in the current slot. Grain: the client.
-- Inputs: clients, used_counts, taken_counts (lists of one length), ends_at_ms.
WITH
taken AS (
    SELECT *
    FROM unnest(cast(:clients AS text []), cast(:used_counts AS bigint []), cast(:taken_counts AS bigint []))
        AS t (client, used_count, taken_count)
),

saved AS (
    UPDATE aiqleads.lead_quotas AS q
    SET used_count = taken.used_count
    FROM taken
    WHERE q.client = taken.client
)

INSERT INTO aiqleads.lead_quota_slots AS s (client, ends_at_ms, leads_count)
SELECT client, :ends_at_ms, taken_count
FROM taken
WHERE taken_count > 0
ON CONFLICT (client, ends_at_ms) DO UPDATE SET leads_count = s.leads_count + excluded.leads_count
