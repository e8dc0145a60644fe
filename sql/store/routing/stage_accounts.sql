-- The companies that the batch gives an owner, for the length of the transaction. Key: company_domain.
CREATE TEMP TABLE routing_accounts (company_domain text, owner text, team text) ON COMMIT DROP
