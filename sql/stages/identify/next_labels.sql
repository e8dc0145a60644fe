-- Grain: linked lead. Key: row_number. Inputs: tables links, labels.
-- One round: the roots of two linked leads are joined under the earlier one, then every lead takes its root's root. The
-- paths halve with each round, so the rounds grow with the logarithm of the longest chain.
WITH roots AS (
    SELECT greatest(here.label, there.label) AS root, min(least(here.label, there.label)) AS label
    FROM links
    JOIN labels AS here ON here.row_number = links.row_number
    JOIN labels AS there ON there.row_number = links.anchor
    WHERE here.label <> there.label
    GROUP BY root
),

joined AS (
    SELECT labels.row_number, coalesce(roots.label, labels.label) AS label
    FROM labels
    LEFT JOIN roots ON roots.root = labels.label
),

parents AS (SELECT row_number, label FROM joined)

SELECT joined.row_number, coalesce(parents.label, joined.label) AS label
FROM joined
LEFT JOIN parents ON parents.row_number = joined.label
