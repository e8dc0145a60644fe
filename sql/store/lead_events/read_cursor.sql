-- Up to when leads' lives were told. Grain: one row, or none before the first time. Inputs: name.
SELECT told_until FROM aiqleads.event_cursors WHERE name = :name
