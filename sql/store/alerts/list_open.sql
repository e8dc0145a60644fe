-- What a person must see, errors first, then the youngest. Grain: alert. Inputs: row_limit.
SELECT alert_id, code, subject, severity, detail, run_id, times_count, opened_at, last_seen_at
FROM aiqleads.alerts
WHERE closed_at IS NULL
ORDER BY severity <> 'error', last_seen_at DESC, alert_id
LIMIT :row_limit
