-- Grain: lead and kind of key. Key: lead_id, kind. Input: view leads (validated columns; accepted rows).
-- kind: 1 external id at its source, 2 e-mail, 3 telephone (tag: family name), 4 whole name and company.
WITH letters AS (
    SELECT
        lead_id,
        row_number,
        source || chr(31) || external_id AS source_and_id,
        email_identity(email, email_domain) AS mailbox,
        phone_e164,
        CASE WHEN phone_e164 IS NOT NULL THEN name_letters(coalesce(last_name, regexp_extract(full_name, '[^ ]+$'))) END AS family,
        CASE WHEN company_name IS NOT NULL THEN name_letters(full_name) END AS person,
        CASE WHEN full_name IS NOT NULL THEN without_legal_form(company_name) END AS company
    FROM leads
),

folded AS (SELECT * REPLACE (name_letters(company) AS company) FROM letters),

hashed AS (
    SELECT lead_id, row_number, unnest([
        CASE WHEN source_and_id IS NOT NULL THEN {'kind': 1::SMALLINT, 'bits': identity_bits('1', source_and_id), 'tag_bits': NULL::UBIGINT} END,
        CASE WHEN mailbox IS NOT NULL THEN {'kind': 2::SMALLINT, 'bits': identity_bits('2', mailbox), 'tag_bits': NULL} END,
        CASE WHEN phone_e164 IS NOT NULL THEN {'kind': 3::SMALLINT, 'bits': phone_bits(phone_e164), 'tag_bits': CASE WHEN family <> '' THEN md5_number_upper(family) END} END,
        CASE WHEN person <> '' AND company <> '' THEN {'kind': 4::SMALLINT, 'bits': identity_bits('4', person || chr(31) || company), 'tag_bits': NULL} END
    ]) AS hash
    FROM folded
)

SELECT lead_id, row_number, hash.kind AS kind, signed_64(hash.bits) AS key, name_tag(hash.tag_bits) AS tag
FROM hashed
WHERE hash IS NOT NULL
