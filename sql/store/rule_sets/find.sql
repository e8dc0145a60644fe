-- The sets whose hash begins so, two at most. Inputs: prefix (hexadecimal).
SELECT sha256, files FROM aiqleads.rule_sets WHERE starts_with(sha256, :prefix) LIMIT 2
