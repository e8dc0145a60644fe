-- Grain: one row: whether two linked leads still have different labels, or a label is not the root of its lead.
-- Inputs: tables links, labels.
SELECT EXISTS (
    FROM links
    JOIN labels AS here ON here.row_number = links.row_number
    JOIN labels AS there ON there.row_number = links.anchor
    WHERE here.label <> there.label
) OR EXISTS (
    FROM labels
    JOIN labels AS root ON root.row_number = labels.label
    WHERE root.label <> root.row_number
) AS is_open
