-- The probability to convert, the points of each part, their sum, and the strongest parts in words.
-- grain: one row per accepted lead; key: lead_id; columns: SCORED_LEADS
-- inputs: score_parts (parts.sql)
-- variables: score_run (model_version, usual_prob, method_reason, degraded_code ...) and the rules, see stages.score
WITH
-- Each step is a query of its own: a name used twice within one SELECT would be worked out twice.
ruled AS (
    SELECT
        *,
        getvariable('score_run').base_log_odds
            + score_log_odds('completeness', completeness_score)
            + score_log_odds('freshness', freshness_score)
            + score_log_odds('source_reliability', source_reliability_score)
            + score_log_odds('engagement', engagement_score)
            + score_log_odds('segment_fit', segment_fit_score)
            + score_log_odds('budget_fit', budget_fit_score)
            + score_log_odds('intent', intent_score)
            + score_log_odds('historical', historical_score) AS rules_log_odds
    FROM score_parts
),
-- The rung that serves the lead: the model, the rules where it has no answer, and the usual rate where no rule has
-- anything to go by: neither the lead, nor its source, nor its company tells a thing that rules judge.
rungs AS (
    SELECT
        *,
        CASE WHEN model_prob IS NOT NULL THEN 'model' WHEN is_judgeable THEN 'rules' ELSE 'prior' END AS score_rung
    FROM ruled
),
probable AS (
    SELECT
        *,
        score_rung = 'model' AS is_model,
        CASE score_rung
            WHEN 'model' THEN model_prob
            WHEN 'rules' THEN round(1 / (1 + exp(-rules_log_odds)), 6)
            ELSE round(getvariable('score_run').usual_prob, 6) END AS conversion_prob
    FROM rungs
),
compared AS (
    SELECT *, score_kept(score_of_prob(conversion_prob, getvariable('score_run').usual_prob)) AS conversion_score
    FROM probable
),
pointed AS (
    SELECT
        *,
        score_points(completeness_weight, completeness_score) AS completeness_points,
        score_points(freshness_weight, freshness_score) AS freshness_points,
        score_points(source_reliability_weight, source_reliability_score) AS source_reliability_points,
        score_points(engagement_weight, engagement_score) AS engagement_points,
        score_points(segment_fit_weight, segment_fit_score) AS segment_fit_points,
        score_points(budget_fit_weight, budget_fit_score) AS budget_fit_points,
        score_points(intent_weight, intent_score) AS intent_points,
        score_points(historical_weight, historical_score) AS historical_points,
        score_points(conversion_weight, conversion_score) AS conversion_points,
        score_effect(completeness_weight, 'completeness', completeness_score) AS completeness_effect,
        score_effect(freshness_weight, 'freshness', freshness_score) AS freshness_effect,
        score_effect(source_reliability_weight, 'source_reliability', source_reliability_score) AS source_reliability_effect,
        score_effect(engagement_weight, 'engagement', engagement_score) AS engagement_effect,
        score_effect(segment_fit_weight, 'segment_fit', segment_fit_score) AS segment_fit_effect,
        score_effect(budget_fit_weight, 'budget_fit', budget_fit_score) AS budget_fit_effect,
        score_effect(intent_weight, 'intent', intent_score) AS intent_effect,
        score_effect(historical_weight, 'historical', historical_score) AS historical_effect,
        score_effect(conversion_weight, 'conversion', conversion_score) AS conversion_effect
    FROM compared
),
keyed AS (
    SELECT
        *,
        score_rank_key(completeness_effect, 1) AS completeness_key,
        score_rank_key(freshness_effect, 2) AS freshness_key,
        score_rank_key(source_reliability_effect, 3) AS source_reliability_key,
        score_rank_key(engagement_effect, 4) AS engagement_key,
        score_rank_key(segment_fit_effect, 5) AS segment_fit_key,
        score_rank_key(budget_fit_effect, 6) AS budget_fit_key,
        score_rank_key(intent_effect, 7) AS intent_key,
        score_rank_key(historical_effect, 8) AS historical_key,
        score_rank_key(conversion_effect, 9) AS conversion_key
    FROM pointed
),
ranked AS (
    SELECT
        *,
        list_sort([
            completeness_key, freshness_key, source_reliability_key, engagement_key, segment_fit_key,
            budget_fit_key, intent_key, historical_key, conversion_key
        ], 'DESC') AS ranking
    FROM keyed
),
named AS (
    SELECT
        *,
        -- Parts whose key is this one or above are put in words: the four strongest, or all of them.
        ranking[getvariable('score_run').reasons_count] AS least_key,
        score_kept(completeness_points + freshness_points + source_reliability_points + engagement_points
            + segment_fit_points + budget_fit_points + intent_points + historical_points + conversion_points)
            AS lead_score
    FROM ranked
),
totalled AS (
    SELECT
        *,
        -- What the parts in words bring; the rest is told in one entry, so that the reasons add up to the score.
        CASE WHEN completeness_key >= least_key THEN completeness_points ELSE 0 END
            + CASE WHEN freshness_key >= least_key THEN freshness_points ELSE 0 END
            + CASE WHEN source_reliability_key >= least_key THEN source_reliability_points ELSE 0 END
            + CASE WHEN engagement_key >= least_key THEN engagement_points ELSE 0 END
            + CASE WHEN segment_fit_key >= least_key THEN segment_fit_points ELSE 0 END
            + CASE WHEN budget_fit_key >= least_key THEN budget_fit_points ELSE 0 END
            + CASE WHEN intent_key >= least_key THEN intent_points ELSE 0 END
            + CASE WHEN historical_key >= least_key THEN historical_points ELSE 0 END
            + CASE WHEN conversion_key >= least_key THEN conversion_points ELSE 0 END AS told_points,
        CASE WHEN completeness_key < least_key THEN completeness_effect ELSE 0 END
            + CASE WHEN freshness_key < least_key THEN freshness_effect ELSE 0 END
            + CASE WHEN source_reliability_key < least_key THEN source_reliability_effect ELSE 0 END
            + CASE WHEN engagement_key < least_key THEN engagement_effect ELSE 0 END
            + CASE WHEN segment_fit_key < least_key THEN segment_fit_effect ELSE 0 END
            + CASE WHEN budget_fit_key < least_key THEN budget_fit_effect ELSE 0 END
            + CASE WHEN intent_key < least_key THEN intent_effect ELSE 0 END
            + CASE WHEN historical_key < least_key THEN historical_effect ELSE 0 END
            + CASE WHEN conversion_key < least_key THEN conversion_effect ELSE 0 END AS untold_effect
    FROM named
),
worded AS (
    SELECT
        *,
        -- The words of a part are built only where the part is among the strongest.
        [
            CASE WHEN completeness_key >= least_key THEN
                reason_json('completeness', completeness_points, completeness_effect, reason_completeness(
                    email IS NULL, phone_e164 IS NULL, NOT has_person, company_name IS NULL, job_title IS NULL,
                    industry_fit IS NULL, employee_band IS NULL AND revenue_band IS NULL, country IS NULL)) END,
            CASE WHEN freshness_key >= least_key THEN
                reason_json('freshness', freshness_points, freshness_effect,
                    reason_freshness(activity_days, created_days, consent_days)) END,
            CASE WHEN source_reliability_key >= least_key THEN
                reason_json('source_reliability', source_reliability_points, source_reliability_effect,
                    reason_source(source_reliability_score, closed_count)) END,
            CASE WHEN engagement_key >= least_key THEN
                reason_json('engagement', engagement_points, engagement_effect, reason_engagement(
                    page_views_count, email_opens_count, form_submissions_count, activity_days, is_tracked)) END,
            CASE WHEN segment_fit_key >= least_key THEN
                reason_json('segment_fit', segment_fit_points, segment_fit_effect, reason_segment(
                    industry_fit, size_fit, country_fit, seniority_fit, function_fit,
                    segment_fit_score, score_neutral('segment_fit'))) END,
            CASE WHEN budget_fit_key >= least_key THEN
                reason_json('budget_fit', budget_fit_points, budget_fit_effect, reason_budget(
                    budget_usd, getvariable('score_budget').ideal_from_usd, getvariable('score_budget').ideal_to_usd))
                END,
            CASE WHEN intent_key >= least_key THEN
                reason_json('intent', intent_points, intent_effect, reason_intent(
                    said IS NOT NULL, is_buying, is_interest, is_against, touches_count, form_submissions_count,
                    product_interest IS NOT NULL, budget_usd > 0)) END,
            CASE WHEN historical_key >= least_key THEN
                reason_json('historical', historical_points, historical_effect,
                    reason_historical(historical_score, known_history_score IS NOT NULL)) END,
            CASE WHEN conversion_key >= least_key THEN
                reason_json('conversion', conversion_points, conversion_effect,
                    reason_conversion(conversion_prob, getvariable('score_run').usual_prob)) END
        ] AS words
    FROM totalled
)
SELECT
    lead_id, batch_id,
    completeness_score, freshness_score, source_reliability_score, engagement_score,
    score_kept((completeness_weight * completeness_score + freshness_weight * freshness_score
        + source_reliability_weight * source_reliability_score + engagement_weight * engagement_score)
        / quality_weight) AS quality_score,
    score_kept((segment_fit_weight * segment_fit_score + budget_fit_weight * budget_fit_score) / fit_weight)
        AS fit_score,
    score_kept((engagement_weight * engagement_score + intent_weight * intent_score + freshness_weight * freshness_score)
        / interest_weight) AS interest_score,
    segment_fit_score, budget_fit_score, intent_score, historical_score,
    conversion_prob,
    lead_score,
    completeness_points, freshness_points, source_reliability_points, engagement_points, segment_fit_points,
    budget_fit_points, intent_points, historical_points, conversion_points,
    weights_code,
    CASE WHEN is_model THEN 'model' ELSE 'rules' END AS score_method,
    CASE score_rung
        WHEN 'rules' THEN getvariable('score_run').method_reason
        WHEN 'prior' THEN getvariable('score_run').prior_reason END AS score_method_reason,
    score_rung,
    CASE WHEN is_model THEN getvariable('score_run').model_version END AS model_version,
    concat('[', words[score_rank_part(ranking[1])], ',', words[score_rank_part(ranking[2])], ',',
        words[score_rank_part(ranking[3])], ',', words[score_rank_part(ranking[4])], ',',
        CASE WHEN getvariable('score_run').reasons_count = 9 THEN concat(
            words[score_rank_part(ranking[5])], ',', words[score_rank_part(ranking[6])], ',',
            words[score_rank_part(ranking[7])], ',', words[score_rank_part(ranking[8])], ',',
            words[score_rank_part(ranking[9])])
        ELSE reason_json('others', lead_score - told_points, untold_effect, 'All else') END, ']') AS reasons,
    CASE WHEN is_model THEN degraded ELSE list_concat(degraded, [getvariable('score_run').degraded_code]) END AS degraded
FROM worded
