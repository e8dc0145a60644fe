-- Who takes each lead. With a `review_code` it waits, and the owner is only suggested. Accounts are served first, then
-- the rotas, then the leads that follow their company's first lead in this batch. A slot names the owner: from 0 on it is
-- a turn (`route_slots`), below 0 it is the owner with number -1 - slot.
-- Sorted, because the store takes ascending lead ids twice as fast.
-- grain: lead_id. inputs: route_sorted, route_stretches, route_slots, route_owners, route_rooms.
WITH turns AS MATERIALIZED (
    SELECT
        sorted.*,
        stretches.first_slot + (sorted.place - stretches.first_place) % stretches.slots_count AS slot,
        stretches.is_over
    FROM route_sorted AS sorted
    JOIN route_stretches AS stretches
        ON stretches.team = sorted.lane AND sorted.place BETWEEN stretches.first_place AND stretches.last_place
    WHERE sorted.method = 'rota'
),

followers AS (
    SELECT
        sorted.*,
        slots.owner,
        turns.is_over,
        row_number() OVER (PARTITION BY slots.owner, turns.is_over ORDER BY sorted.row_number) AS follower_number
    FROM route_sorted AS sorted
    JOIN turns ON turns.row_number = sorted.first_row
    JOIN route_slots AS slots ON slots.slot = turns.slot
    WHERE sorted.method = 'follow'
)

SELECT
    turns.lead_id, turns.batch_id, turns.row_number, turns.priority, turns.rule_number, turns.method, turns.slot,
    slots.owner, turns.account_owner, CASE WHEN turns.is_over THEN 'no_capacity' END AS review_code
FROM turns
JOIN route_slots AS slots ON slots.slot = turns.slot
UNION ALL
SELECT
    followers.lead_id, followers.batch_id, followers.row_number, followers.priority, followers.rule_number,
    followers.method, -1 - owners.owner_number, followers.owner, followers.account_owner,
    CASE WHEN followers.is_over OR followers.follower_number > rooms.room_count THEN 'no_capacity' END
FROM followers
JOIN route_owners AS owners ON owners.owner = followers.owner
LEFT JOIN route_rooms AS rooms ON rooms.owner = followers.owner
UNION ALL
SELECT
    sorted.lead_id, sorted.batch_id, sorted.row_number, sorted.priority, sorted.rule_number, sorted.method,
    -1 - owners.owner_number, owners.owner, sorted.account_owner,
    CASE WHEN sorted.place >= owners.account_room_count THEN 'no_capacity' END
FROM route_sorted AS sorted
JOIN route_owners AS owners ON owners.owner = sorted.lane
WHERE sorted.method = 'account'
UNION ALL
SELECT lead_id, batch_id, row_number, priority, rule_number, NULL, NULL, NULL, account_owner, review_code
FROM route_sorted
WHERE method = 'review'
ORDER BY row_number
