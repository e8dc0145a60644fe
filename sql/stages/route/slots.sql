-- Whose turn a slot is. grain: slot. inputs: variable route_slot_owners (JSON list of owners, the slot is the place).
SELECT unnest(owners) AS owner, unnest(range(len(owners))) AS slot
FROM (SELECT from_json(getvariable('route_slot_owners')::VARCHAR::JSON, '["VARCHAR"]') AS owners)
