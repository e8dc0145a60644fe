-- Leads with the parts of a name that only the whole name or the mailbox tells, and whether the mailbox is a role.
-- Grain: lead. Key: given.lead_id. Inputs: enrich_places, ref_role_mailboxes and its words
-- once more as the list variable `enrich_roles`.
CREATE OR REPLACE TEMP VIEW enrich_people AS
WITH
asked AS (
    SELECT
        *,
        translate(split_part(split_part(given.email, '@', 1), '+', 1), '._-', '') AS mailbox,
        CASE
            WHEN given.first_name IS NOT NULL OR given.last_name IS NOT NULL THEN NULL
            WHEN given.full_name IS NOT NULL
            -- No class of all letters: compiling it costs more than a small batch.
            THEN regexp_extract(
                given.full_name, '^([^ \d,.;:/@()&]{2,}) ([^ \d,.;:/@()&]{2,})$', ['first_name', 'last_name'])
            ELSE regexp_extract(
                given.email, '^([a-z]{2,})\.([a-z]{2,})(?:\+[^@]*)?@', ['first_name', 'last_name'])
        END AS name_parts
    FROM enrich_places
)

SELECT
    l.* EXCLUDE (mailbox),
    r.local_part IS NOT NULL AS is_role,
    CASE
        WHEN coalesce(l.name_parts.first_name, '') = '' THEN NULL
        WHEN l.given.full_name IS NOT NULL THEN 'full_name'
        -- `sales.team` is nobody's name.
        WHEN NOT list_has_any(
            getvariable('enrich_roles'), [l.name_parts.first_name::VARCHAR, l.name_parts.last_name::VARCHAR])
        THEN 'email'
    END AS name_parts_source
FROM asked AS l
LEFT JOIN ref_role_mailboxes AS r ON r.local_part = l.mailbox
