-- The processes that send just now. Grain: worker. Inputs: now.
SELECT DISTINCT worker FROM aiqleads.delivery_workers WHERE expires_at > :now
