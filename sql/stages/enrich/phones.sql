-- Leads, each as one struct `given`, with country, type, time zone and NANP state of their number.
-- Grain: lead. Key: given.lead_id. Inputs: enrich_leads; ref_phone_heads (head), ref_phone_plan (prefix),
-- ref_phone_kinds (kind_id): at most one row of each fits a valid number, and the longer prefix wins.
CREATE OR REPLACE TEMP VIEW enrich_phones AS
SELECT
    l.given,
    k.type AS phone_type,
    k.country AS phone_country,
    k.time_zone AS phone_zone,
    k.region_code AS phone_region
FROM (
    SELECT lead AS given, lead.phone_e164[2:] AS number, length(lead.phone_e164) - 1 AS digits FROM enrich_leads AS lead
) AS l
LEFT JOIN ref_phone_heads AS h ON h.head = l.number[:4] AND h.digits IN (0, l.digits)
LEFT JOIN ref_phone_plan AS e
    ON e.prefix = CASE WHEN h.exception_digits IS NOT NULL THEN l.number[:h.exception_digits] END
    AND e.digits IN (0, l.digits)
LEFT JOIN ref_phone_plan AS r
    ON r.prefix = CASE WHEN h.rare_digits IS NOT NULL THEN l.number[:h.rare_digits] END
    AND r.digits IN (0, l.digits)
LEFT JOIN ref_phone_kinds AS k ON k.kind_id = coalesce(r.kind_id, e.kind_id, h.kind_id)
