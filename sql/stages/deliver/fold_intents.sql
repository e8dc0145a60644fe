-- Intents that go out with their batch's file, many leads a row. Grain: batch, destination, priority and a range of leads:
-- ids ascend with the rows of a drop, so that all but the last four digits make ranges of up to 65,536. Input: intents.
SELECT
    batch_id,
    destination,
    priority,
    min(lead_id) AS first_lead_id,
    max(lead_id) AS last_lead_id,
    list(lead_id ORDER BY lead_id) AS lead_ids,
    created_at
FROM intents
WHERE next_attempt_at IS NULL
GROUP BY batch_id, destination, priority, created_at, left(lead_id::VARCHAR, 32)
