-- Whether a draft was previewed against these rules. Inputs: sha256, base_sha256.
SELECT previewed_at FROM aiqleads.rule_previews WHERE sha256 = :sha256 AND base_sha256 = :base_sha256
