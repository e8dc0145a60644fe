-- A batch's leads have their clocks. Key: batch_id. Inputs: batch_id, finished_at, clocks_count.
INSERT INTO aiqleads.sla_batches AS b (batch_id, finished_at, clocks_count)
VALUES (:batch_id, :finished_at, :clocks_count)
ON CONFLICT (batch_id) DO UPDATE SET finished_at = excluded.finished_at, clocks_count = excluded.clocks_count
