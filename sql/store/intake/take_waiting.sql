-- Leads of a source that wait and that nobody else is gathering, in the order of their ids; theirs until the transaction
-- ends. Grain: lead. Inputs: source, source_channel, lead_ids (null: any), leads_limit.
SELECT lead_id, received_at, content
FROM aiqleads.intake
WHERE batch_id IS NULL AND source = :source AND source_channel = :source_channel
    AND (cast(:lead_ids AS uuid[]) IS NULL OR lead_id = ANY(cast(:lead_ids AS uuid[])))
ORDER BY lead_id
LIMIT :leads_limit
FOR UPDATE SKIP LOCKED
