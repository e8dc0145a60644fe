-- How far a thing stands from usual; counts how often in a row it stood at this level or above. Answers that count.
-- Key: subject. Inputs: its columns.
INSERT INTO aiqleads.drift_states AS d (subject, level, times_count, value, detail, measured_at)
VALUES (:subject, :level, 1, :value, :detail, :now)
ON CONFLICT (subject) DO UPDATE
SET times_count = CASE WHEN excluded.level > 0 AND d.level >= excluded.level THEN d.times_count + 1 ELSE 1 END,
    level = excluded.level, value = excluded.value, detail = excluded.detail, measured_at = excluded.measured_at
RETURNING times_count
