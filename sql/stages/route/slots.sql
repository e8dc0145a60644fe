-- Whose a slot is: from 0 on it is a turn in a rota, below 0 it is the owner with number -1 - slot himself.
-- grain: slot. inputs: route_owners; variable route_slot_owners (JSON list of owner numbers, the slot is the place).
WITH turns AS (
    SELECT unnest(owner_numbers) AS owner_number, unnest(range(len(owner_numbers))) AS slot
    FROM (SELECT from_json(getvariable('route_slot_owners')::VARCHAR::JSON, '["INTEGER"]') AS owner_numbers)
)
SELECT turns.slot, turns.owner_number, owners.owner
FROM turns
JOIN route_owners AS owners ON owners.owner_number = turns.owner_number
UNION ALL
SELECT -1 - owner_number, owner_number, owner
FROM route_owners
