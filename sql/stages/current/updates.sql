-- What was said about leads, with the day that its times count from: null if all of them are dates of their own, not words
-- such as "3 days ago". Grain: update. Key: update_id. Input: current_given (update_id, lead_id, source, received_at, content).
SELECT
    *,
    CASE
        WHEN regexp_full_match(coalesce(content ->> 'last_activity_at', '2000-01-01'), '\d{4}-\d{2}-\d{2}.*')
            AND regexp_full_match(coalesce(content ->> 'consent_at', '2000-01-01'), '\d{4}-\d{2}-\d{2}.*')
            AND regexp_full_match(coalesce(content ->> 'created_at', '2000-01-01'), '\d{4}-\d{2}-\d{2}.*')
        THEN NULL
        ELSE received_at::DATE
    END AS spoken_on
FROM current_given
