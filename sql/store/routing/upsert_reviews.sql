-- Leads of the batch that wait. Key: lead_id. What a person decided stays. Inputs: routing_reviews; batch_id.
INSERT INTO aiqleads.review_queue AS q (lead_id, batch_id, reason_code, suggestion, opened_at)
SELECT lead_id, :batch_id, reason_code, cast(suggestion AS jsonb), opened_at FROM routing_reviews
ON CONFLICT (lead_id) DO UPDATE
SET reason_code = excluded.reason_code, suggestion = excluded.suggestion
WHERE q.resolved_at IS NULL
    AND (q.reason_code, q.suggestion) IS DISTINCT FROM (excluded.reason_code, excluded.suggestion)
