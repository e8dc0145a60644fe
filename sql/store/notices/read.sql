-- What notices say. Grain: notice. Inputs: array notice_ids.
SELECT notice_id, topic, body, created_at
FROM aiqleads.notices
WHERE notice_id = ANY(cast(:notice_ids AS uuid[]))
