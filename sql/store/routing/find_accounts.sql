-- The accounts of the staged companies as they were before a routing. Grain: company_domain. Inputs: seq.
SELECT DISTINCT ON (a.company_domain) a.company_domain, a.owner, a.team
FROM aiqleads.accounts AS a
WHERE a.seq < :seq AND a.company_domain IN (SELECT d.company_domain FROM routing_domains AS d)
ORDER BY a.company_domain, a.seq DESC
