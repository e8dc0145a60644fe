-- Grain: key and tag that the batch claims. Key: key, tag. Inputs: views identity_keys, groups; table repeated_keys.
-- A key belongs to the lead that is left of those who share it; what a repeat brings is claimed for that lead too.
WITH shared AS (
    SELECT DISTINCT coalesce(groups.survivor_lead_id, repeated_keys.lead_id) AS lead_id, key, tag, repeated_keys.kind
    FROM repeated_keys
    LEFT JOIN groups ON groups.lead_id = repeated_keys.lead_id
),

own AS (
    SELECT coalesce(groups.survivor_lead_id, identity_keys.lead_id) AS lead_id, key, tag, identity_keys.kind
    FROM identity_keys
    LEFT JOIN groups ON groups.lead_id = identity_keys.lead_id
    WHERE key NOT IN (SELECT key FROM repeated_keys)
)

SELECT lead_id, key, tag, kind FROM own
UNION ALL
SELECT lead_id, key, tag, kind FROM shared
ORDER BY lead_id, key, tag
