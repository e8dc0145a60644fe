-- A batch's file went out: its deliveries without a time of their own are delivered. Key: batch_id, destination.
-- Inputs: batch_id, destination, now.
INSERT INTO aiqleads.batch_files (batch_id, destination, delivered_at)
VALUES (:batch_id, :destination, :now)
ON CONFLICT (batch_id, destination) DO NOTHING
