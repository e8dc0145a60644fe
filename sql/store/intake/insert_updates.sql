-- What requests said about known leads. Key: update_id. Inputs: one array per column.
INSERT INTO aiqleads.lead_updates (update_id, lead_id, client, source, received_at, content)
SELECT new.*
FROM unnest(
    cast(:update_ids AS uuid[]), cast(:lead_ids AS uuid[]), cast(:clients AS text[]), cast(:sources AS text[]),
    cast(:received_at AS timestamptz[]), cast(:contents AS text[])
) AS new
