-- Holds that go on: what is still worked on. Grain: those that are still held. Inputs: arrays delivery_ids, attempts;
-- hold_until.
UPDATE aiqleads.outbox AS d
SET next_attempt_at = :hold_until
FROM unnest(cast(:delivery_ids AS uuid[]), cast(:attempts AS int[])) AS held (delivery_id, attempts)
WHERE d.delivery_id = held.delivery_id AND d.state = 'in_flight' AND d.attempts = held.attempts
RETURNING d.delivery_id
