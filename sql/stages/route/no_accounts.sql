-- No account at all, where the caller knows none. grain: company_domain. inputs: none.
SELECT NULL::VARCHAR AS company_domain, NULL::VARCHAR AS owner, NULL::VARCHAR AS team
LIMIT 0
