-- The outcomes that can be used.
-- grain: one row per reference; key: reference_kind, reference_value, reference_source
-- inputs: outcome_checked (outcomes.sql)
-- variables: none
SELECT row_number, reference_kind, reference_value, reference_source, email, result, is_bounced, closed_at, revenue_usd
FROM outcome_checked
WHERE fault IS NULL AND NOT is_superseded
ORDER BY row_number
