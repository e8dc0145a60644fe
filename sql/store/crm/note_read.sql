-- What reading back found. Key: destination, lead_id.
-- Inputs: destination, now; arrays lead_ids, owners (null: not known), results (null: open), repairs (0 or 1),
-- are_gone.
UPDATE aiqleads.crm_records AS r
SET
    read_at = :now,
    external_id = CASE WHEN n.is_gone THEN NULL ELSE r.external_id END,
    owner_at_crm = coalesce(n.owner, r.owner_at_crm),
    result = coalesce(n.result, r.result),
    repairs_count = r.repairs_count + n.repairs
FROM unnest(
    cast(:lead_ids AS uuid[]), cast(:owners AS text[]), cast(:results AS text[]), cast(:repairs AS int[]),
    cast(:are_gone AS bool[])
) AS n (lead_id, owner, result, repairs, is_gone)
WHERE r.destination = :destination AND r.lead_id = n.lead_id
