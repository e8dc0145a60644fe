-- How many of the first waiting leads of a source fit into a batch together. Grain: one row.
-- Inputs: source, source_channel, lead_ids (null: any), leads_limit, bytes_limit.
SELECT count(*) FILTER (WHERE bytes_so_far <= :bytes_limit) AS leads_count
FROM (
    SELECT sum(octet_length(content)) OVER (ORDER BY lead_id) AS bytes_so_far
    FROM (
        SELECT lead_id, content
        FROM aiqleads.intake
        WHERE batch_id IS NULL AND source = :source AND source_channel = :source_channel
            AND (cast(:lead_ids AS uuid[]) IS NULL OR lead_id = ANY(cast(:lead_ids AS uuid[])))
        ORDER BY lead_id
        LIMIT :leads_limit
    ) AS first_ones
) AS summed
