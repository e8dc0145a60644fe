-- Switches a destination on or off. Grain: the row, if that changed it. Inputs: destination, state, reason (null when
-- on), now.
UPDATE aiqleads.delivery_lanes
SET
    state = :state,
    off_reason = :reason,
    off_at = CASE WHEN :state = 'off' THEN cast(:now AS timestamptz) END,
    failures_count = 0, opened_count = 0, open_until = NULL, paused_until = NULL, failing_since = NULL,
    warnings_count = 0
WHERE destination = :destination AND (state <> :state OR :state = 'on')
RETURNING destination
