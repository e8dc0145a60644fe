-- Leads with country, type, time zone and NANP state of their number.
-- Grain: lead. Key: lead_id. Inputs: enrich_leads; ref_phone_plan, whose prefixes have four to nine digits and of which
-- at most one row fits a valid number, so at most one of the joins finds something.
SELECT
    l.*,
    coalesce(p4.type, p5.type, p6.type, p7.type, p8.type, p9.type) AS phone_type,
    coalesce(p4.country, p5.country, p6.country, p7.country, p8.country, p9.country) AS phone_country,
    coalesce(p4.time_zone, p5.time_zone, p6.time_zone, p7.time_zone, p8.time_zone, p9.time_zone) AS phone_zone,
    coalesce(p4.region_code, p5.region_code, p6.region_code, p7.region_code) AS phone_region
FROM (SELECT *, phone_e164[2:] AS number, length(phone_e164) - 1 AS digits FROM enrich_leads) AS l
LEFT JOIN ref_phone_plan AS p4 ON p4.prefix = l.number[:4] AND p4.digits IN (0, l.digits)
LEFT JOIN ref_phone_plan AS p5
    ON p5.prefix = CASE WHEN p4.type IS NULL THEN l.number[:5] END AND p5.digits IN (0, l.digits)
LEFT JOIN ref_phone_plan AS p6
    ON p6.prefix = CASE WHEN p4.type IS NULL THEN l.number[:6] END AND p6.digits IN (0, l.digits)
LEFT JOIN ref_phone_plan AS p7
    ON p7.prefix = CASE WHEN p4.type IS NULL THEN l.number[:7] END AND p7.digits IN (0, l.digits)
LEFT JOIN ref_phone_plan AS p8
    ON p8.prefix = CASE WHEN p4.type IS NULL THEN l.number[:8] END AND p8.digits IN (0, l.digits)
LEFT JOIN ref_phone_plan AS p9
    ON p9.prefix = CASE WHEN p4.type IS NULL THEN l.number[:9] END AND p9.digits IN (0, l.digits)
