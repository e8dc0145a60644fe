-- Which leads hold a fact of which enrichment provider.
-- grain: lead, provider. key: the same. inputs: enriched_leads (with what came later), spent (provider: those ever asked).
SELECT lead_id, provider, count(*) AS facts_count
FROM (
    SELECT lead_id, unnest(list_value(*COLUMNS(lambda c: c LIKE '%\_source' ESCAPE '\' AND c <> 'lead_source'))) AS provider
    FROM enriched_leads
    WHERE EXISTS (FROM spent)
)
SEMI JOIN spent USING (provider)
GROUP BY ALL
