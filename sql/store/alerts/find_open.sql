-- Whether an alert is open. Grain: the alert. Inputs: code, subject.
SELECT alert_id FROM aiqleads.alerts WHERE code = :code AND subject = :subject AND closed_at IS NULL
