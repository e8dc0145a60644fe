-- Closes an alert: what it told of is healed. Grain: the alert, if it was open. Inputs: code, subject, now.
UPDATE aiqleads.alerts
SET closed_at = :now
WHERE code = :code AND subject = :subject AND closed_at IS NULL
RETURNING alert_id
