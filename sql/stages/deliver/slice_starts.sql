-- The first lead of each slice of leads that is written at a time.
-- grain: slice. inputs: routed; variable deliver_slice_rows.
SELECT lead_id
FROM (SELECT lead_id, row_number() OVER (ORDER BY lead_id) AS place FROM routed)
WHERE (place - 1) % getvariable('deliver_slice_rows') = 0
ORDER BY lead_id
