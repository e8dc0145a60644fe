-- Grain: lead that shares a key with an earlier one, and the earliest it shares it with. Input: table repeated_keys.
-- A telephone number is shared by leads of one family name, or with one that has no name: where the number's first lead
-- is nameless all others link to it, else the nameless link to the first and the named to the first of their name.
WITH firsts AS (
    SELECT
        row_number,
        kind,
        tag,
        min(row_number) OVER (PARTITION BY key) AS first_row,
        arg_min(tag, row_number) OVER (PARTITION BY key) AS first_tag,
        min(row_number) OVER (PARTITION BY key, tag) AS first_row_of_tag
    FROM repeated_keys
),

anchored AS (
    SELECT row_number, kind, CASE WHEN tag = 0 OR first_tag = 0 THEN first_row ELSE first_row_of_tag END AS anchor
    FROM firsts
)

SELECT row_number, anchor, min(kind) AS kind
FROM anchored
WHERE row_number <> anchor
GROUP BY row_number, anchor
