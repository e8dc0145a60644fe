-- Leads with the name of a person who has none but in the whole name or the mailbox, and whether the mailbox is a role.
-- Grain: lead. Key: lead_id. Inputs: enrich_places, ref_role_mailboxes.
WITH
asked AS (
    SELECT
        *,
        translate(split_part(split_part(email, '@', 1), '+', 1), '._-', '') AS mailbox,
        CASE
            WHEN first_name IS NOT NULL OR last_name IS NOT NULL THEN NULL
            WHEN full_name IS NOT NULL
            THEN regexp_extract(full_name, '^(\p{L}[\p{L}''’-]+) (\p{L}[\p{L}''’-]+)$', ['first', 'last'])
            ELSE regexp_extract(email, '^([a-z]{2,})\.([a-z]{2,})(?:\+[^@]*)?@', ['first', 'last'])
        END AS parts
    FROM enrich_places
),

checked AS (
    SELECT
        l.*,
        mailbox_role.local_part IS NOT NULL AS is_role,
        CASE
            WHEN l.parts.first = '' THEN NULL
            WHEN l.parts.first IS NOT NULL AND l.full_name IS NOT NULL THEN 'full_name'
            -- `sales.team` is nobody's name.
            WHEN l.parts.first IS NOT NULL AND first_role.local_part IS NULL AND last_role.local_part IS NULL
            THEN 'email'
        END AS parts_source
    FROM asked AS l
    LEFT JOIN ref_role_mailboxes AS mailbox_role ON mailbox_role.local_part = l.mailbox
    LEFT JOIN ref_role_mailboxes AS first_role ON first_role.local_part = l.parts.first
    LEFT JOIN ref_role_mailboxes AS last_role ON last_role.local_part = l.parts.last
)

SELECT
    l.* EXCLUDE (first_name, last_name, mailbox, parts, parts_source),
    coalesce(l.first_name, CASE WHEN l.parts_source IS NOT NULL THEN enrich_capitalised(l.parts.first) END)
        AS first_name,
    coalesce(l.last_name, CASE WHEN l.parts_source IS NOT NULL THEN enrich_capitalised(l.parts.last) END)
        AS last_name,
    CASE WHEN l.first_name IS NOT NULL THEN 'given' ELSE l.parts_source END AS first_name_source,
    CASE WHEN l.last_name IS NOT NULL THEN 'given' ELSE l.parts_source END AS last_name_source
FROM checked AS l
