-- Leads that were closed in the window: the probability that a model gave when they came, and whether they were won.
-- grain: lead. key: lead_id. inputs: scored_leads (all batches), outcomes. variables: drift_now, drift_outcome_days.
SELECT s.lead_id, s.conversion_prob, o.result = 'won' AS is_won
FROM outcomes AS o
INNER JOIN scored_leads AS s USING (lead_id)
WHERE s.score_method = 'model'
    AND o.closed_at > getvariable('drift_now')::TIMESTAMPTZ - to_days(getvariable('drift_outcome_days'))
