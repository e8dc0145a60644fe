-- Records that hold something else than what was sent, or are gone: what is delivered again. The longest untouched
-- first, each at most `max_repairs_per_record` times in its life and `max_repairs` in one reading.
-- grain: destination and lead. inputs: read_back, bounds (destination, max_repairs, max_repairs_per_record).
SELECT r.destination, r.lead_id, r.delivery_id
FROM read_back AS r
INNER JOIN bounds AS b ON b.destination = r.destination
WHERE r.state <> 'same' AND r.repairs_count < b.max_repairs_per_record
QUALIFY row_number() OVER (PARTITION BY r.destination ORDER BY r.repairs_count, r.sent_at, r.lead_id) <= b.max_repairs
ORDER BY r.destination, r.lead_id
