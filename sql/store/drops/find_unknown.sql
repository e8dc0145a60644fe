-- Which objects of a listing the ledger does not know. Grain: position in the listing (from 1).
-- Inputs: uris, versions (arrays of equal length).
SELECT seen.position
FROM unnest(cast(:uris AS text[]), cast(:versions AS text[])) WITH ORDINALITY AS seen (uri, version, position)
WHERE NOT EXISTS (SELECT FROM aiqleads.drops AS d WHERE d.uri = seen.uri AND d.version = seen.version)
ORDER BY seen.position
