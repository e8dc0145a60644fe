-- The leads of the batch that wait for a person, for the length of the transaction. Key: lead_id.
CREATE TEMP TABLE routing_reviews (lead_id uuid, reason_code text, suggestion text, opened_at timestamptz) ON COMMIT DROP
