-- Grain: lead and kind of key. Key: lead_id, kind. Input: view leads (validated columns; accepted rows).
-- kind: 1 external id at its source, 2 e-mail, 3 telephone (tag: family name), 4 whole name and company.
WITH texts AS (
    SELECT
        lead_id,
        row_number,
        source || chr(31) || external_id AS value_1,
        email_identity(email, email_domain) AS value_2,
        phone_e164,
        CASE WHEN phone_e164 IS NOT NULL THEN nullif(name_letters(coalesce(last_name, regexp_extract(full_name, '[^ ]+$'))), '') END AS family,
        CASE WHEN full_name IS NOT NULL AND company_name IS NOT NULL
            THEN nullif(name_letters(full_name), '') || chr(31) || nullif(company_letters(company_name), '') END AS value_4
    FROM leads
),

hashed AS (
    SELECT lead_id, row_number, unnest([
        CASE WHEN value_1 IS NOT NULL THEN {'kind': 1::SMALLINT, 'bits': identity_bits('1', value_1), 'tag_bits': NULL::UBIGINT} END,
        CASE WHEN value_2 IS NOT NULL THEN {'kind': 2::SMALLINT, 'bits': identity_bits('2', value_2), 'tag_bits': NULL} END,
        CASE WHEN phone_e164 IS NOT NULL THEN {'kind': 3::SMALLINT, 'bits': phone_bits(phone_e164), 'tag_bits': CASE WHEN family IS NOT NULL THEN md5_number_upper(family) END} END,
        CASE WHEN value_4 IS NOT NULL THEN {'kind': 4::SMALLINT, 'bits': identity_bits('4', value_4), 'tag_bits': NULL} END
    ]) AS hash
    FROM texts
)

SELECT lead_id, row_number, hash.kind AS kind, signed_64(hash.bits) AS key, name_tag(hash.tag_bits) AS tag
FROM hashed
WHERE hash IS NOT NULL
