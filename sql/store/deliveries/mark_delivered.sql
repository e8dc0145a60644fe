-- Deliveries that arrived; whoever holds them by now, they did. Inputs: arrays delivery_ids, external_ids; now.
UPDATE aiqleads.outbox AS d
SET
    state = 'delivered',
    next_attempt_at = NULL,
    last_error_code = NULL,
    external_id = coalesce(done.external_id, d.external_id),
    delivered_at = :now
FROM unnest(cast(:delivery_ids AS uuid[]), cast(:external_ids AS text[])) AS done (delivery_id, external_id)
WHERE d.delivery_id = done.delivery_id AND d.state <> 'delivered'
