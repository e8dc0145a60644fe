-- The last publications, the youngest first. Inputs: row_limit.
SELECT seq, sha256, previous_sha256, kind, published_at, published_by, note
FROM aiqleads.rule_publications ORDER BY seq DESC LIMIT :row_limit
