-- What is told of a group now. Key: destination, group_key. Inputs: the columns.
INSERT INTO aiqleads.alert_groups AS g (
    destination, group_key, incident_number, state, severity, code, told_alert_id, notices_count, opened_at, told_at,
    healed_at
)
VALUES (
    :destination, :group_key, :incident_number, :state, :severity, :code, :told_alert_id, :notices_count, :opened_at,
    :told_at, :healed_at
)
ON CONFLICT (destination, group_key) DO UPDATE
SET
    incident_number = excluded.incident_number,
    state = excluded.state,
    severity = excluded.severity,
    code = excluded.code,
    told_alert_id = excluded.told_alert_id,
    notices_count = excluded.notices_count,
    opened_at = excluded.opened_at,
    told_at = excluded.told_at,
    healed_at = excluded.healed_at
