-- Whether an incident goes on. Inputs: destination, group_key, incident_number.
SELECT EXISTS (
    SELECT FROM aiqleads.alert_groups
    WHERE destination = :destination
        AND group_key = :group_key
        AND incident_number = :incident_number
        AND state = 'open'
)
