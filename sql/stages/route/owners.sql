-- The owners that sit in a team and are active. `is_available`: not absent on the day of the batch.
-- grain: owner. key: owner and owner_number. inputs: variable route_owners (JSON list).
SELECT owner.owner_number, owner.owner, owner.is_available, owner.account_room_count
FROM (
    SELECT unnest(from_json(getvariable('route_owners')::VARCHAR::JSON, '[{
        "owner_number": "INTEGER", "owner": "VARCHAR", "is_available": "BOOLEAN", "account_room_count": "BIGINT"
    }]')) AS owner
)
