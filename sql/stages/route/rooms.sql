-- How many more leads an owner can take once accounts and rotas were served; owners without a limit are missing.
-- grain: owner_number. inputs: variable route_rooms (JSON list).
SELECT room.owner_number, room.room_count
FROM (
    SELECT unnest(from_json(getvariable('route_rooms')::VARCHAR::JSON, '[{
        "owner_number": "INTEGER", "room_count": "BIGINT"
    }]')) AS room
)
