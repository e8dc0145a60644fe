-- The classes that leads get when classifying failed: nothing is guessed, and everything says so.
-- grain: one row per accepted lead; key: lead_id; columns: CLASSIFIED_LEADS
-- inputs: classify_enriched (ENRICHED_LEADS)
-- variables: none
SELECT
    lead_id, batch_id,
    'unknown' AS industry_code,
    'Unknown' AS industry_name,
    'unknown' AS size_segment,
    'P3' AS priority,
    'default' AS priority_rule,
    'unassigned' AS territory,
    'default' AS territory_matched_on,
    ['industry', 'size', 'priority', 'territory'] AS defaults_applied,
    ['classification_failed'] AS degraded
FROM classify_enriched
