-- Registers objects. The unique claims on (uri, version) and, for no repeats, (source, content) are the judge.
-- Inputs: first_seen_at and one array per column.
INSERT INTO aiqleads.drops (
    uri, version, source, channel, name, content_sha256, size_bytes, archive_uri, batch_id, is_repeat, first_seen_at
)
SELECT seen.*, cast(:first_seen_at AS timestamptz)
FROM unnest(
    cast(:uris AS text[]), cast(:versions AS text[]), cast(:sources AS text[]), cast(:channels AS text[]),
    cast(:names AS text[]), cast(:hashes AS text[]), cast(:sizes AS bigint[]), cast(:archive_uris AS text[]),
    cast(:batch_ids AS text[]), cast(:are_repeats AS boolean[])
) AS seen
