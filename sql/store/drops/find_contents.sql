-- What the ledger has of some objects. Grain: position in the arrays (from 1).
-- is_known: this very object is registered. batch_id: where it is, or else the batch that has its content.
-- Inputs: uris, versions, sources, hashes (arrays of equal length).
SELECT
    seen.position,
    own.drop_id IS NOT NULL AS is_known,
    coalesce(own.batch_id, same.batch_id) AS batch_id,
    coalesce(own.is_repeat, same.drop_id IS NOT NULL) AS is_repeat
FROM unnest(cast(:uris AS text[]), cast(:versions AS text[]), cast(:sources AS text[]), cast(:hashes AS text[]))
    WITH ORDINALITY AS seen (uri, version, source, content_sha256, position)
LEFT JOIN aiqleads.drops AS own ON own.uri = seen.uri AND own.version = seen.version
LEFT JOIN aiqleads.drops AS same
    ON same.source = seen.source AND same.content_sha256 = seen.content_sha256 AND NOT same.is_repeat
ORDER BY seen.position
