-- Past leads as the rules in force and a draft decide on them, side by side.
-- grain: lead. key: lead_id. inputs: decided_before, decided_after (decided.sql).
SELECT
    lead_id, b.source,
    b.lead_score AS score_before, a.lead_score AS score_after,
    b.priority AS priority_before, a.priority AS priority_after,
    b.territory AS territory_before, a.territory AS territory_after,
    coalesce(b.team, 'review') AS team_before, coalesce(a.team, 'review') AS team_after,
    coalesce(b.owner, 'review: ' || b.review_code, 'nobody') AS owner_before,
    coalesce(a.owner, 'review: ' || a.review_code, 'nobody') AS owner_after,
    coalesce(b.rule_id, 'review') AS rule_before, coalesce(a.rule_id, 'review') AS rule_after,
    b.sla_minutes AS sla_before, a.sla_minutes AS sla_after
FROM decided_before AS b INNER JOIN decided_after AS a USING (lead_id)
