-- The explanation of each distinct decision. grain: rule_number, method, slot, account_owner_number (-2 for none).
-- inputs: variable route_reasons (JSON list).
SELECT reason.rule_number, reason.method, reason.slot, reason.account_owner_number, reason.reasons
FROM (
    SELECT unnest(from_json(getvariable('route_reasons')::VARCHAR::JSON, '[{
        "rule_number": "SMALLINT", "method": "VARCHAR", "slot": "BIGINT", "account_owner_number": "INTEGER",
        "reasons": "VARCHAR"
    }]')) AS reason
)
