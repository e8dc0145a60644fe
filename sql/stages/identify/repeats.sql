-- Grain: lead that repeats an earlier one of its batch. Key: lead_id. Inputs: tables links, labels, repeated_keys.
-- `kind`: the best kind by which it is linked to an earlier lead, else (its links come through later ones) of any link.
WITH kinds AS (
    SELECT row_number, min(kind) FILTER (is_earlier) AS earlier_kind, min(kind) AS any_kind
    FROM (
        SELECT row_number, kind, true AS is_earlier FROM links
        UNION ALL
        SELECT anchor, kind, false FROM links
    )
    GROUP BY row_number
),

ids AS (SELECT row_number, any_value(lead_id) AS lead_id FROM repeated_keys GROUP BY row_number)

SELECT
    ids.lead_id,
    survivor.lead_id AS survivor_lead_id,
    coalesce(kinds.earlier_kind, kinds.any_kind) AS kind,
    labels.row_number
FROM labels
JOIN ids ON ids.row_number = labels.row_number
JOIN ids AS survivor ON survivor.row_number = labels.label
JOIN kinds ON kinds.row_number = labels.row_number
WHERE labels.label <> labels.row_number
