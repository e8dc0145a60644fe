-- Each lead that ends closes its owner's load once: when its outcome is new, or when the owner becomes known.
-- Inputs: new_outcomes.
WITH closing AS (
    SELECT lead_id, max(owner) AS owner FROM new_outcomes WHERE owner IS NOT NULL GROUP BY lead_id
)
INSERT INTO aiqleads.owner_totals AS t (owner, pool, turns_count, given_count, closed_count)
SELECT c.owner, '', 0, 0, count(*)
FROM closing AS c
LEFT JOIN aiqleads.outcomes AS o ON o.lead_id = c.lead_id
WHERE o.owner IS NULL
GROUP BY c.owner
ORDER BY c.owner
ON CONFLICT (owner, pool) DO UPDATE SET closed_count = t.closed_count + excluded.closed_count
