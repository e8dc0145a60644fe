-- How many batches each set of rules scored. Grain: set of rules.
SELECT counts ->> 'rules_sha256' AS sha256, count(*) AS batches_count
FROM aiqleads.batches WHERE counts ? 'rules_sha256' GROUP BY 1
