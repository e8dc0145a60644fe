-- A destination asked for a pause. Inputs: destination, paused_until.
UPDATE aiqleads.delivery_lanes
SET paused_until = greatest(paused_until, :paused_until)
WHERE destination = :destination
