-- Which leads of a team (places from `first_place` to `last_place`) a pool takes turns on; the turns are the slots from
-- `first_slot` on, over and over after `slots_count`.
-- grain: team_number, first_place. inputs: variable route_stretches (JSON list).
SELECT stretch.team_number, stretch.first_place, stretch.last_place, stretch.first_slot, stretch.slots_count, stretch.is_over
FROM (
    SELECT unnest(from_json(getvariable('route_stretches')::VARCHAR::JSON, '[{
        "team_number": "SMALLINT", "first_place": "BIGINT", "last_place": "BIGINT", "first_slot": "BIGINT",
        "slots_count": "BIGINT", "is_over": "BOOLEAN"
    }]')) AS stretch
)
