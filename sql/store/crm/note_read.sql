-- What reading back found. Key: destination, lead_id.
-- Inputs: destination, now; arrays lead_ids, owners (null: not known), results (null: open), repairs (0 or 1).
UPDATE aiqleads.crm_records AS r
SET
    read_at = :now,
    owner_at_crm = coalesce(n.owner, r.owner_at_crm),
    result = coalesce(n.result, r.result),
    repairs_count = r.repairs_count + n.repairs
FROM unnest(
    cast(:lead_ids AS uuid[]), cast(:owners AS text[]), cast(:results AS text[]), cast(:repairs AS int[])
) AS n (lead_id, owner, result, repairs)
WHERE r.destination = :destination AND r.lead_id = n.lead_id
