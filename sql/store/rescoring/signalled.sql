-- Leads that something was heard of since a time: who came again, said more, was judged by a person, or whose judgement
-- ended. A touch counts from when its batch was done, which may be long after it happened.
-- Grain: lead. Inputs: since, until.
SELECT t.existing_lead_id AS lead_id
FROM aiqleads.touches AS t
LEFT JOIN aiqleads.batches AS b ON b.batch_id = t.batch_id
WHERE greatest(t.touched_at, b.finished_at) > :since AND t.touched_at <= :until
UNION
SELECT lead_id FROM aiqleads.lead_updates WHERE received_at > :since AND received_at <= :until
UNION
SELECT lead_id FROM aiqleads.score_overrides
WHERE set_at > :since AND set_at <= :until OR expires_at > :since AND expires_at <= :until
