-- A person was warned that a destination keeps failing. Grain: the row, unless somebody else warned. Inputs:
-- destination, warnings_count (before).
UPDATE aiqleads.delivery_lanes
SET warnings_count = warnings_count + 1
WHERE destination = :destination AND warnings_count = :warnings_count
RETURNING warnings_count
