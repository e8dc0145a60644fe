-- Records as they were sent. Key: destination, lead_id (each at most once in the arrays).
-- Inputs: destination, mapping_id, now; arrays lead_ids, delivery_ids, external_ids, marks, owners.
INSERT INTO aiqleads.crm_records AS r (
    destination, lead_id, delivery_id, external_id, mapping_id, marks, owner_sent, owner_at_crm, sent_at
)
SELECT :destination, n.lead_id, n.delivery_id, n.external_id, :mapping_id, n.marks, n.owner, n.owner, :now
FROM unnest(
    cast(:lead_ids AS uuid[]), cast(:delivery_ids AS uuid[]), cast(:external_ids AS text[]), cast(:marks AS bytea[]),
    cast(:owners AS text[])
) AS n (lead_id, delivery_id, external_id, marks, owner)
ORDER BY n.lead_id
ON CONFLICT (destination, lead_id) DO UPDATE
SET
    delivery_id = excluded.delivery_id,
    external_id = coalesce(excluded.external_id, r.external_id),
    mapping_id = excluded.mapping_id,
    marks = excluded.marks,
    owner_sent = coalesce(excluded.owner_sent, r.owner_sent),
    owner_at_crm = coalesce(excluded.owner_at_crm, r.owner_at_crm),
    sent_at = excluded.sent_at
