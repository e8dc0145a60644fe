-- The explanation of each distinct decision. grain: rule_number, method, slot, account_owner ('' for none).
-- inputs: variable route_reasons (JSON list).
SELECT reason.rule_number, reason.method, reason.slot, reason.account_owner, reason.reasons
FROM (
    SELECT unnest(from_json(getvariable('route_reasons')::VARCHAR::JSON, '[{
        "rule_number": "SMALLINT", "method": "VARCHAR", "slot": "BIGINT", "account_owner": "VARCHAR",
        "reasons": "VARCHAR"
    }]')) AS reason
)
