-- Grain: lead that is linked to another. Key: row_number. Input: table links.
-- `label`: the earliest lead known to be the same, at first itself.
SELECT row_number, row_number AS label
FROM (SELECT row_number FROM links UNION SELECT anchor FROM links)
