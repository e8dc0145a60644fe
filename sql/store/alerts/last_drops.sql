-- When sources were heard of last, repeats of known content included. Grain: source. Inputs: array sources.
SELECT source, max(first_seen_at) AS last_at
FROM aiqleads.drops
WHERE source = ANY(cast(:sources AS text[]))
GROUP BY source
