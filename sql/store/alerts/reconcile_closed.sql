-- Closes the alerts of a code that are not true any more. Grain: alert. Inputs: code, now; array subjects.
UPDATE aiqleads.alerts
SET closed_at = :now
WHERE code = :code AND closed_at IS NULL AND subject <> ALL(cast(:subjects AS text[]))
