-- A set of rules, whole. Key: sha256. Inputs: sha256, files (JSON object: name to text), now.
INSERT INTO aiqleads.rule_sets (sha256, files, first_seen_at) VALUES (:sha256, cast(:files AS jsonb), :now)
ON CONFLICT (sha256) DO NOTHING
