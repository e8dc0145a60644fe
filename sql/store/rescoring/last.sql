-- The last time that open leads got new scores, or the last time that all did. Inputs: kind (null: either).
SELECT batch_id, kind, until, leads_count, seconds FROM aiqleads.rescorings
WHERE cast(:kind AS text) IS NULL OR kind = :kind
ORDER BY until DESC LIMIT 1
