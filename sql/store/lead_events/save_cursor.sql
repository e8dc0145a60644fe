-- Up to when leads' lives were told. Key: name. Inputs: name, until.
INSERT INTO aiqleads.event_cursors AS told (name, told_until) VALUES (:name, :until)
ON CONFLICT (name) DO UPDATE SET told_until = greatest(told.told_until, excluded.told_until)
