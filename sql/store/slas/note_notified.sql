-- When a lead's first delivery arrived. Asked of clocks that something follows from now. Inputs: now.
UPDATE aiqleads.sla_clocks AS c
SET notified_at = sent.delivered_at
FROM (
    SELECT c.lead_id, min(d.delivered_at) AS delivered_at
    FROM aiqleads.sla_clocks AS c
    JOIN aiqleads.deliveries AS d ON d.batch_id = c.batch_id AND d.lead_id = c.lead_id
    WHERE c.touched_at IS NULL AND c.notified_at IS NULL AND c.next_step_at <= :now AND d.delivered_at IS NOT NULL
    GROUP BY c.lead_id
) AS sent
WHERE sent.lead_id = c.lead_id
