-- Leads given outside of the rotas. grain: owner. inputs: route_placed, route_slots.
SELECT slots.owner, count(*) AS leads_count
FROM route_placed AS placed
JOIN route_slots AS slots ON slots.slot = placed.slot
WHERE placed.review_code IS NULL AND placed.method <> 'rota'
GROUP BY slots.owner
ORDER BY slots.owner
