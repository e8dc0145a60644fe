-- A destination that nothing was sent to yet. Key: destination. Inputs: destination.
INSERT INTO aiqleads.delivery_lanes (destination) VALUES (:destination) ON CONFLICT (destination) DO NOTHING
