-- A draft was previewed; the last report counts. Key: sha256, base_sha256. Inputs: its columns.
INSERT INTO aiqleads.rule_previews (sha256, base_sha256, previewed_at, previewed_by, report)
VALUES (:sha256, :base_sha256, :now, :by, cast(:report AS jsonb))
ON CONFLICT (sha256, base_sha256) DO UPDATE
SET previewed_at = excluded.previewed_at, previewed_by = excluded.previewed_by, report = excluded.report
