-- What outcomes say of leads, in the shape whose identity keys can be asked for. An external id without its source is
-- asked for at every source that ever dropped leads.
-- grain: reference (and source). key: row_number, source. inputs: outcomes (accepted), sources (source).
SELECT
    uuid() AS lead_id,
    o.row_number,
    coalesce(o.reference_source, s.source, '') AS source,
    CASE WHEN o.reference_kind = 'external_id' THEN o.reference_value END AS external_id,
    CASE WHEN o.reference_kind = 'email' THEN lower(trim(o.reference_value)) END AS email,
    CASE WHEN o.reference_kind = 'email' THEN split_part(lower(trim(o.reference_value)), '@', -1) END AS email_domain,
    NULL::VARCHAR AS phone_e164,
    NULL::VARCHAR AS last_name,
    NULL::VARCHAR AS full_name,
    NULL::VARCHAR AS company_name
FROM outcomes AS o
LEFT JOIN sources AS s ON o.reference_kind = 'external_id' AND o.reference_source IS NULL
WHERE o.reference_kind <> 'lead_id'
