-- Leads that something was heard of since a time: who came again, said more, ended, of whom a provider told more, who was
-- judged by a person, or whose judgement ended. Touches and outcomes count from when their batch was done, which may be
-- long after they happened.
-- Grain: lead. Inputs: since, until.
SELECT t.existing_lead_id AS lead_id
FROM aiqleads.touches AS t
LEFT JOIN aiqleads.batches AS b ON b.batch_id = t.batch_id
WHERE greatest(t.touched_at, b.finished_at) > :since AND t.touched_at <= :until
UNION
SELECT lead_id FROM aiqleads.lead_updates WHERE received_at > :since AND received_at <= :until
UNION
SELECT o.lead_id
FROM aiqleads.outcomes AS o
INNER JOIN aiqleads.batches AS b ON b.batch_id = o.batch_id
WHERE b.state = 'done' AND b.finished_at > :since AND b.finished_at <= :until
UNION
SELECT lead_id FROM aiqleads.enrichment_additions WHERE added_at > :since AND added_at <= :until
UNION
SELECT lead_id FROM aiqleads.enrichment_gaps WHERE closed_at > :since AND closed_at <= :until
UNION
SELECT lead_id FROM aiqleads.score_overrides
WHERE set_at > :since AND set_at <= :until OR expires_at > :since AND expires_at <= :until
