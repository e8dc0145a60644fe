-- The routing rules as a table, in the order in which they are asked. A null condition may be anything.
-- grain: rule. key: rule_number. inputs: variable route_rules (JSON list).
SELECT
    rule.rule_number, rule.rule_id, rule.team, rule.team_number, rule.review_code, rule.has_owners, rule.sla_minutes,
    rule.priority, rule.territory, rule.country, rule.region, rule.industry_code, rule.size_segment, rule.source,
    rule.source_channel, rule.product_interest, rule.email_kind, rule.lowest_band, rule.highest_band
FROM (
    SELECT unnest(from_json(getvariable('route_rules')::VARCHAR::JSON, '[{
        "rule_number": "SMALLINT", "rule_id": "VARCHAR", "team": "VARCHAR", "team_number": "SMALLINT",
        "review_code": "VARCHAR", "has_owners": "BOOLEAN",
        "sla_minutes": "MAP(VARCHAR, BIGINT)",
        "priority": ["VARCHAR"], "territory": ["VARCHAR"], "country": ["VARCHAR"], "region": ["VARCHAR"],
        "industry_code": ["VARCHAR"], "size_segment": ["VARCHAR"], "source": ["VARCHAR"],
        "source_channel": ["VARCHAR"], "product_interest": ["VARCHAR"], "email_kind": ["VARCHAR"],
        "lowest_band": "SMALLINT", "highest_band": "SMALLINT"
    }]')) AS rule
)
