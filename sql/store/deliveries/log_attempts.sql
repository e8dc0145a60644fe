-- Attempts as they went. Grain: attempt. Inputs: arrays, one value per attempt.
INSERT INTO aiqleads.delivery_attempts (
    delivery_id, destination, attempt, outcome, error_code, status_code, detail, answer, sent_bytes_count,
    answer_bytes_count, seconds, started_at
)
SELECT *
FROM unnest(
    cast(:delivery_ids AS uuid[]), cast(:destinations AS text[]), cast(:attempts AS int[]), cast(:outcomes AS text[]),
    cast(:error_codes AS text[]), cast(:status_codes AS int[]), cast(:details AS text[]), cast(:answers AS text[]),
    cast(:sent_bytes_counts AS int[]), cast(:answer_bytes_counts AS int[]), cast(:seconds AS float8[]),
    cast(:started_ats AS timestamptz[])
)
