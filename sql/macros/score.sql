-- Arithmetic of the scores. Mind that greatest and least pass nulls by.

-- Days from `earlier` to `later`; a date in the future counts as today.
CREATE OR REPLACE MACRO score_age_days(later, earlier) AS
    CASE WHEN earlier < later THEN (epoch(later) - epoch(earlier)) / 86400 WHEN earlier IS NOT NULL THEN 0 END;

-- 1 at age 0, half of it every half-life.
CREATE OR REPLACE MACRO score_fade(age_days, half_life_days) AS pow(0.5, age_days / half_life_days);

-- 0 to 1: how much of the cap was done; null counts as nothing.
CREATE OR REPLACE MACRO score_capped(done_count, cap) AS least(greatest(coalesce(done_count, 0), 0), cap) / cap;

-- 50 at the mean, 75 at three times the mean, towards 100 above it.
CREATE OR REPLACE MACRO score_against_mean(value, mean) AS
    CASE WHEN mean > 0 THEN 100 * greatest(value, 0) / (greatest(value, 0) + mean) END;

-- 100 x odds / (odds + usual odds): 50 at the usual probability, 0 at 0 and 100 at 1.
CREATE OR REPLACE MACRO score_of_prob(prob, usual_prob) AS
    100 * prob * (1 - usual_prob) / (prob * (1 - usual_prob) + usual_prob * (1 - prob));

-- Within 0 and 100, two decimals: what the table keeps. The score must be known: null would become 0.
CREATE OR REPLACE MACRO score_kept(score) AS round(least(greatest(score, 0), 100), 2);

-- The segment that history is counted by, within a source.
CREATE OR REPLACE MACRO score_segment(industry_code, employee_band) AS
    coalesce(industry_code, 'unknown') || ':' || coalesce(employee_band, 'unknown');

-- Settings of a part, from the variables that stages.score sets.
CREATE OR REPLACE MACRO score_neutral(part) AS struct_extract(getvariable('score_neutral'), part);
CREATE OR REPLACE MACRO score_log_odds(part, score) AS
    struct_extract(getvariable('score_coefficients'), part) * (score - score_neutral(part)) / 50;
CREATE OR REPLACE MACRO score_field_weight(field) AS struct_extract(getvariable('score_fields'), field);

-- Points a part brings, and what they are above or below a neutral part; the weight is that of the lead's segment.
CREATE OR REPLACE MACRO score_points(weight, score) AS round(weight * score, 2);
CREATE OR REPLACE MACRO score_effect(weight, part, score) AS round(weight * (score - score_neutral(part)), 2);

-- Strength of an effect and the part's number in one integer, so that one sort of integers ranks the parts.
CREATE OR REPLACE MACRO score_rank_key(effect, part_number) AS
    (abs(effect) * 100)::BIGINT * 16 + (15 - part_number);
CREATE OR REPLACE MACRO score_rank_part(rank_key) AS 15 - rank_key % 16;
