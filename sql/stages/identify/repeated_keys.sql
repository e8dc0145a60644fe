-- Grain: lead and key that more than one lead of the batch has. Input: view identity_keys.
SELECT row_number, lead_id, kind, key, tag
FROM identity_keys
WHERE key IN (SELECT key FROM identity_keys GROUP BY key HAVING count(*) > 1)
