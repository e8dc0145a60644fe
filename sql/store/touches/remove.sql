-- Touches that the batch made in an earlier run and does not make any more. Inputs: new_touches; batch_id, kind.
DELETE FROM aiqleads.touches AS t
WHERE t.batch_id = :batch_id
    AND t.kind = :kind
    AND NOT EXISTS (SELECT FROM new_touches AS n WHERE n.lead_id = t.lead_id)
