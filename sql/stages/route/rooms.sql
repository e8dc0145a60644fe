-- How many more leads an owner can take once accounts and rotas were served; owners without a limit are missing.
-- grain: owner. inputs: variable route_rooms (JSON list).
SELECT room.owner, room.room_count
FROM (
    SELECT unnest(from_json(getvariable('route_rooms')::VARCHAR::JSON, '[{
        "owner": "VARCHAR", "room_count": "BIGINT"
    }]')) AS room
)
