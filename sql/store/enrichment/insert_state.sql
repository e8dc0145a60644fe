-- A provider that is asked for the first time. Inputs: provider.
INSERT INTO aiqleads.provider_states (provider) VALUES (:provider) ON CONFLICT DO NOTHING
