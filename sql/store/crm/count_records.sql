-- How many records the CRM should hold. Inputs: destination.
SELECT count(*) FROM aiqleads.crm_records WHERE destination = :destination
