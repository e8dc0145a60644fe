-- How many leads wait in each lane. grain: method, lane. inputs: route_sorted.
SELECT method::VARCHAR, lane, count(*) AS leads_count
FROM route_sorted
GROUP BY method, lane
ORDER BY method, lane
