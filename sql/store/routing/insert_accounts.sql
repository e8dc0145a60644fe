-- Companies get an owner, from this routing on. Key: company_domain, seq. Inputs: routing_accounts; batch_id, seq.
INSERT INTO aiqleads.accounts (company_domain, seq, owner, team, batch_id)
SELECT company_domain, :seq, owner, team, :batch_id FROM routing_accounts
ORDER BY company_domain
ON CONFLICT (company_domain, seq) DO NOTHING
