-- Why the model gave its probability: the strongest facts in words; their effects and the rest's add up to the effect of
-- the conversion part within rounding.
-- grain: explained lead; key: lead_id
-- inputs: explained_leads (features.sql), explained_scores (SCORED_LEADS), explained_parts (see stages.contributions)
-- variables: score_segment_weights (the rules)
WITH
weights AS (SELECT unnest(getvariable('score_segment_weights'), recursive := true)),
weighed AS (
    SELECT
        f.*,
        p.feature_1, p.feature_2, p.feature_3,
        round(w.conversion_weight * p.share_1, 1) AS effect_1,
        round(w.conversion_weight * p.share_2, 1) AS effect_2,
        round(w.conversion_weight * p.share_3, 1) AS effect_3,
        round(w.conversion_weight * p.share_rest, 1) AS effect_rest
    FROM explained_parts AS p
    INNER JOIN explained_scores AS s ON s.lead_id = p.lead_id
    INNER JOIN weights AS w ON w.weights_code = s.weights_code
    INNER JOIN explained_leads AS f ON f.lead_id = p.lead_id
)
SELECT
    lead_id,
    concat('[',
        reason_feature(feature_1, effect_1, reason_feature_words(feature_1, page_views_count, email_opens_count,
            form_submissions_count, activity_days, created_days, message_length_log, budget_log, employees_log)), ',',
        reason_feature(feature_2, effect_2, reason_feature_words(feature_2, page_views_count, email_opens_count,
            form_submissions_count, activity_days, created_days, message_length_log, budget_log, employees_log)), ',',
        reason_feature(feature_3, effect_3, reason_feature_words(feature_3, page_views_count, email_opens_count,
            form_submissions_count, activity_days, created_days, message_length_log, budget_log, employees_log)), ',',
        reason_feature('others', effect_rest, 'All else'), ']') AS conversion_reasons
FROM weighed
