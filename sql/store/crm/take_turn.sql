-- One turn of a pace: how long to wait for it, in seconds; no row: it would take longer than `most_wait_s`, and none was
-- taken. Turns are `gap_s` apart; `burst_s` of them may come at once after a rest. Key: name.
-- Inputs: name, gap_s, burst_s, most_wait_s.
INSERT INTO aiqleads.crm_paces AS p (name, next_turn_s)
VALUES (:name, extract(EPOCH FROM clock_timestamp()) - :burst_s + :gap_s)
ON CONFLICT (name) DO UPDATE
SET next_turn_s = greatest(p.next_turn_s, extract(EPOCH FROM clock_timestamp()) - :burst_s) + :gap_s
WHERE p.next_turn_s - extract(EPOCH FROM clock_timestamp()) <= :most_wait_s
RETURNING greatest(next_turn_s - :gap_s - extract(EPOCH FROM clock_timestamp()), 0) AS wait_s
