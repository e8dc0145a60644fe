-- Who takes each lead, as a slot (`route_slots`). With a `review_code` it waits, and the owner is only suggested.
-- Accounts are served first, then the rotas, then the leads that follow their company's first lead in this batch.
-- Sorted, because the store takes ascending lead ids twice as fast.
-- grain: lead_id. inputs: route_sorted, route_stretches, route_slots, route_owners, route_rooms.
WITH turns AS MATERIALIZED (
    SELECT
        sorted.lead_id, sorted.row_number, sorted.priority, sorted.rule_number, sorted.method,
        stretches.first_slot + (sorted.place - stretches.first_place) % stretches.slots_count AS slot,
        sorted.account_owner_number,
        CASE WHEN stretches.is_over THEN 'no_capacity' END AS review_code
    FROM route_sorted AS sorted
    JOIN route_stretches AS stretches
        ON stretches.team_number = sorted.lane
        AND sorted.place BETWEEN stretches.first_place AND stretches.last_place
    WHERE sorted.method = 'rota'
),

followers AS (
    SELECT
        sorted.lead_id, sorted.row_number, sorted.priority, sorted.rule_number, sorted.method,
        slots.owner_number, sorted.account_owner_number, turns.review_code,
        row_number() OVER (PARTITION BY slots.owner_number, turns.review_code ORDER BY sorted.row_number) AS place
    FROM route_sorted AS sorted
    JOIN turns ON turns.row_number = sorted.first_row
    JOIN route_slots AS slots ON slots.slot = turns.slot
    WHERE sorted.method = 'follow'
)

SELECT *
FROM turns
UNION ALL
SELECT
    followers.lead_id, followers.row_number, followers.priority, followers.rule_number, followers.method,
    -1 - followers.owner_number, followers.account_owner_number,
    CASE WHEN followers.place > rooms.room_count THEN 'no_capacity' ELSE followers.review_code END
FROM followers
LEFT JOIN route_rooms AS rooms ON rooms.owner_number = followers.owner_number
UNION ALL
SELECT
    sorted.lead_id, sorted.row_number, sorted.priority, sorted.rule_number, sorted.method,
    -1 - sorted.lane, sorted.account_owner_number,
    CASE WHEN sorted.place >= owners.account_room_count THEN 'no_capacity' END
FROM route_sorted AS sorted
JOIN route_owners AS owners ON owners.owner_number = sorted.lane
WHERE sorted.method = 'account'
UNION ALL
SELECT lead_id, row_number, priority, rule_number, method, NULL, account_owner_number, review_code::VARCHAR
FROM route_sorted
WHERE method = 'review'
ORDER BY row_number
