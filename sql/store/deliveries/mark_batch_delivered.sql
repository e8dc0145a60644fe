-- The deliveries that went out with their batch's file: those without a time of their own.
-- Inputs: batch_id, destination, now.
UPDATE aiqleads.deliveries
SET state = 'delivered', attempts = attempts + 1, delivered_at = :now
WHERE batch_id = :batch_id AND destination = :destination AND state = 'pending' AND next_attempt_at IS NULL
