-- Opens an alert, or counts one that is open already. Grain: the alert. Key: code, subject (while open).
-- Inputs: code, subject, severity, detail, run_id, now.
INSERT INTO aiqleads.alerts AS a (code, subject, severity, detail, run_id, opened_at, last_seen_at)
VALUES (:code, :subject, :severity, :detail, :run_id, :now, :now)
ON CONFLICT (code, subject) WHERE closed_at IS NULL DO UPDATE
SET
    severity = excluded.severity,
    detail = excluded.detail,
    run_id = excluded.run_id,
    times_count = a.times_count + 1,
    last_seen_at = excluded.last_seen_at
RETURNING times_count
