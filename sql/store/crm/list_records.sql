-- Records that were sent, by lead, a page at a time. Grain: destination and lead.
-- Inputs: destination, sent_since, sent_before, after_lead_id, row_limit.
SELECT
    r.lead_id, r.delivery_id, r.external_id, m.field_names, r.marks, r.owner_at_crm, r.sent_at, r.repairs_count,
    r.result
FROM aiqleads.crm_records AS r
INNER JOIN aiqleads.crm_mappings AS m ON m.mapping_id = r.mapping_id
WHERE r.destination = :destination
    AND r.sent_at BETWEEN :sent_since AND :sent_before
    AND r.lead_id > :after_lead_id
ORDER BY r.lead_id
LIMIT :row_limit
