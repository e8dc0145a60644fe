-- Accepted leads of the last days and of the time before, with their scores.
-- grain: lead. key: lead_id. inputs: enriched_leads, scored_leads (all batches). variables: drift_now, drift_window_days,
-- drift_reference_days.
SELECT
    e.*, s.lead_score,
    e.received_at > getvariable('drift_now')::TIMESTAMPTZ - to_days(getvariable('drift_window_days')) AS is_now
FROM enriched_leads AS e
INNER JOIN scored_leads AS s USING (lead_id)
WHERE e.received_at > getvariable('drift_now')::TIMESTAMPTZ - to_days(getvariable('drift_reference_days'))
