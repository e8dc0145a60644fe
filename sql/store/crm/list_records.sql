-- Records that were sent and not read back since the reading began, the longest unread first. Grain: destination and lead.
-- Inputs: destination, sent_since, sent_before, began_at, row_limit.
SELECT
    r.lead_id, r.delivery_id, r.external_id, m.signatures, r.marks, r.owner_at_crm, r.sent_at, r.repairs_count, r.result
FROM aiqleads.crm_records AS r
INNER JOIN aiqleads.crm_mappings AS m ON m.mapping_id = r.mapping_id
WHERE r.destination = :destination
    AND r.sent_at BETWEEN :sent_since AND :sent_before
    AND (r.read_at IS NULL OR r.read_at < :began_at)
ORDER BY r.read_at NULLS FIRST, r.lead_id
LIMIT :row_limit
