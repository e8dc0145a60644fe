-- Every owner. `state`: available, away (comes back: accounts stay) or gone (inactive or in no team: accounts move).
-- `account_room_count`: how many leads of accounts the owner can take in this batch; null without a limit.
-- grain: owner. key: owner and owner_number. inputs: variable route_owners (JSON list).
SELECT owner.owner_number, owner.owner, owner.state, owner.account_room_count
FROM (
    SELECT unnest(from_json(getvariable('route_owners')::VARCHAR::JSON, '[{
        "owner_number": "INTEGER", "owner": "VARCHAR", "state": "VARCHAR", "account_room_count": "BIGINT"
    }]')) AS owner
)
