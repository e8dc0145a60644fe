-- Opens the alerts of a code that are true now; one that is open already says what is true now, without being counted.
-- Key: code, subject (while open). Inputs: code, now; arrays subjects, severities, details.
INSERT INTO aiqleads.alerts AS a (code, subject, severity, detail, opened_at, last_seen_at)
SELECT :code, subject, severity, detail, :now, :now
FROM unnest(cast(:subjects AS text[]), cast(:severities AS text[]), cast(:details AS text[]))
    AS found (subject, severity, detail)
ON CONFLICT (code, subject) WHERE closed_at IS NULL DO UPDATE
SET severity = excluded.severity, detail = excluded.detail, last_seen_at = excluded.last_seen_at
WHERE (a.severity, a.detail) IS DISTINCT FROM (excluded.severity, excluded.detail)
