-- The companies that are asked about, for the length of the transaction. Key: company_domain.
CREATE TEMP TABLE routing_domains (company_domain text) ON COMMIT DROP
