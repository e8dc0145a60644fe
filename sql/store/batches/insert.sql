-- New batches, waiting. Inputs: received_at and one array per column.
INSERT INTO aiqleads.batches (batch_id, source, channel, state, size_bytes, received_at)
SELECT new.batch_id, new.source, new.channel, 'waiting', new.size_bytes, cast(:received_at AS timestamptz)
FROM unnest(
    cast(:batch_ids AS text[]), cast(:sources AS text[]), cast(:channels AS text[]), cast(:sizes AS bigint[])
) AS new (batch_id, source, channel, size_bytes)
