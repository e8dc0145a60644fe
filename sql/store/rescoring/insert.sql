-- Open leads got new scores. Key: batch_id. Inputs: its columns.
INSERT INTO aiqleads.rescorings (batch_id, kind, until, leads_count, seconds, facts)
VALUES (:batch_id, :kind, :until, :leads_count, :seconds, cast(:facts AS jsonb))
ON CONFLICT (batch_id) DO UPDATE
SET until = excluded.until, leads_count = excluded.leads_count, seconds = excluded.seconds, facts = excluded.facts
