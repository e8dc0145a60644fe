-- Scored leads whose points don't add up to the score: must return no row.
-- grain: lead_id. inputs: scored_leads.
SELECT lead_id
FROM scored_leads
WHERE abs(
    lead_score - least(greatest(
        completeness_points + freshness_points + source_reliability_points + engagement_points
        + segment_fit_points + budget_fit_points + intent_points + historical_points + conversion_points,
    0), 100)
) > 1e-6
