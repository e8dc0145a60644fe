-- The first routing rule that matches each lead. Only the columns that some rule asks about are read; the correlated
-- subquery makes DuckDB compare the rules with the distinct combinations of them, not with every lead.
-- grain: lead_id. inputs: classified, enriched, scored (empty where no rule asks for a score), route_rules;
-- variables route_asked (names of the columns that rules ask about), route_score_from and route_score_above (cuts:
-- the band of a score is the number of cuts that it passes).
WITH leads AS (
    SELECT
        c.lead_id,
        e.row_number,
        c.priority::ENUM ('P1', 'P2', 'P3', 'P4') AS priority,
        e.company_domain,
        CASE WHEN list_contains(getvariable('route_asked'), 'territory') THEN c.territory END AS territory,
        CASE WHEN list_contains(getvariable('route_asked'), 'industry_code') THEN c.industry_code END AS industry_code,
        CASE WHEN list_contains(getvariable('route_asked'), 'size_segment') THEN c.size_segment END AS size_segment,
        CASE WHEN list_contains(getvariable('route_asked'), 'country') THEN e.country END AS country,
        CASE WHEN list_contains(getvariable('route_asked'), 'region') THEN e.region END AS region,
        CASE WHEN list_contains(getvariable('route_asked'), 'source') THEN e.source END AS source,
        CASE WHEN list_contains(getvariable('route_asked'), 'source_channel') THEN e.source_channel END
            AS source_channel,
        CASE WHEN list_contains(getvariable('route_asked'), 'product_interest')
            THEN lower(trim(regexp_replace(e.product_interest, '\s+', ' ', 'g'))) END AS product_interest,
        CASE WHEN list_contains(getvariable('route_asked'), 'email_kind') THEN e.email_kind END AS email_kind,
        len(list_filter(getvariable('route_score_from')::DOUBLE[], lambda cut: s.lead_score >= cut))
        + len(list_filter(getvariable('route_score_above')::DOUBLE[], lambda cut: s.lead_score > cut)) AS score_band
    FROM classified AS c
    JOIN enriched AS e ON e.lead_id = c.lead_id
    LEFT JOIN scored AS s ON s.lead_id = c.lead_id
)
SELECT
    lead_id,
    row_number,
    priority,
    company_domain,
    (
        SELECT min(rule.rule_number)
        FROM route_rules AS rule
        WHERE (rule.priority IS NULL OR list_contains(rule.priority, leads.priority::VARCHAR))
            AND (rule.territory IS NULL OR list_contains(rule.territory, leads.territory))
            AND (rule.country IS NULL OR list_contains(rule.country, leads.country))
            AND (rule.region IS NULL OR list_contains(rule.region, leads.region))
            AND (rule.industry_code IS NULL OR list_contains(rule.industry_code, leads.industry_code))
            AND (rule.size_segment IS NULL OR list_contains(rule.size_segment, leads.size_segment))
            AND (rule.source IS NULL OR list_contains(rule.source, leads.source))
            AND (rule.source_channel IS NULL OR list_contains(rule.source_channel, leads.source_channel))
            AND (rule.product_interest IS NULL OR list_contains(rule.product_interest, leads.product_interest))
            AND (rule.email_kind IS NULL OR list_contains(rule.email_kind, leads.email_kind))
            AND (rule.lowest_band IS NULL OR rule.lowest_band <= leads.score_band)
            AND (rule.highest_band IS NULL OR rule.highest_band >= leads.score_band)
    ) AS rule_number
FROM leads
