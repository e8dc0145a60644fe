-- What happened to leads that were routed, with whose they are, the most urgent first; of more than `most` of a type the
-- first are told, `of_type_count` says how many there are. Leads were routed where their batch was done.
-- grain: happening. key: type, lead_id, key. inputs: happened (type, lead_id, key, at, data), routed_leads (all batches).
-- variables: events_most (of a type), events_done (list of batch_id, finished_at), events_types (those asked for)
WITH
done AS (SELECT unnest(getvariable('events_done'), recursive := true)),
routed AS (
    SELECT
        'lead.routed' AS type, r.lead_id, r.batch_id AS key, d.finished_at::TIMESTAMPTZ AS at,
        to_json({'batch_id': r.batch_id, 'team': r.team, 'owner': r.owner, 'rule_id': r.rule_id, 'sla_due_at': r.sla_due_at})
            ::VARCHAR AS data
    FROM routed_leads AS r INNER JOIN done AS d USING (batch_id)
),
everything AS (FROM happened UNION ALL FROM routed)
SELECT e.type, e.lead_id, e.key, e.at, e.data, r.team, r.priority, count(*) OVER (PARTITION BY e.type) AS of_type_count
FROM everything AS e
LEFT JOIN routed_leads AS r ON r.lead_id = e.lead_id
WHERE list_contains(getvariable('events_types'), e.type)
QUALIFY row_number() OVER (PARTITION BY e.type ORDER BY r.priority NULLS LAST, e.at, e.lead_id, e.key)
    <= getvariable('events_most')
ORDER BY e.type, r.priority NULLS LAST, e.at, e.lead_id, e.key
