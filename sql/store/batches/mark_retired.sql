-- Inputs: batch_ids (array), now.
UPDATE aiqleads.batches SET partition_retired_at = :now WHERE batch_id = ANY(cast(:batch_ids AS text[]))
