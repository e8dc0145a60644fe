-- How a thing stands. Inputs: subject.
SELECT subject, level, times_count, value, detail, measured_at FROM aiqleads.drift_states WHERE subject = :subject
