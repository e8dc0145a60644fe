-- Open leads as they are scored now, with the priority that follows or that a person said; those above P3 with their
-- reasons, and with why the model gave its probability.
-- grain: open lead. key: lead_id. inputs: rescored (SCORED_LEADS without reasons), decided (open_priorities.sql),
-- told_reasons (lead_id, reasons), told_probabilities (lead_id, conversion_reasons). variables: score_as_of.
SELECT
    s.*,
    d.* EXCLUDE (lead_id),
    w.reasons,
    p.conversion_reasons,
    getvariable('score_as_of')::TIMESTAMPTZ AS scored_at
FROM rescored AS s
INNER JOIN decided AS d USING (lead_id)
LEFT JOIN told_reasons AS w USING (lead_id)
LEFT JOIN told_probabilities AS p USING (lead_id)
