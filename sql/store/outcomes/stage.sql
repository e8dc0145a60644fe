-- Outcomes as they arrived, for the length of the transaction; a lead may be there twice.
CREATE TEMP TABLE new_outcomes (
    lead_id uuid, result text, closed_at timestamptz, revenue_usd double precision, owner text,
    is_bounced boolean
) ON COMMIT DROP
