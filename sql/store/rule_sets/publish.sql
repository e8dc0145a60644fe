-- A set of rules comes into force; answers its number. Inputs: its columns.
INSERT INTO aiqleads.rule_publications (sha256, previous_sha256, kind, published_at, published_by, note)
VALUES (:sha256, :previous_sha256, :kind, :now, :by, :note)
RETURNING seq
