-- What was told of which incidents. Grain: destination and group.
SELECT
    destination, group_key, incident_number, state, severity, code, told_alert_id, notices_count, opened_at, told_at
FROM aiqleads.alert_groups
