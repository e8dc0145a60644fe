-- Usage of which no forecast needs to know any more. Inputs: destination, before.
DELETE FROM aiqleads.crm_usage WHERE destination = :destination AND observed_at < :before
