-- Adds to (or gives back of) what a provider cost on a day. Inputs: provider, day, usd.
INSERT INTO aiqleads.provider_spend AS spent (provider, day, spent_usd)
VALUES (:provider, :day, :usd)
ON CONFLICT (provider, day) DO UPDATE SET spent_usd = greatest(spent.spent_usd + excluded.spent_usd, 0)
