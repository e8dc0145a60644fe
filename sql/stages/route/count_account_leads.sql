-- Leads given outside of the rotas. grain: owner. inputs: route_placed.
SELECT owner, count(*) AS leads_count
FROM route_placed
WHERE review_code IS NULL AND method <> 'rota'
GROUP BY owner
ORDER BY owner
