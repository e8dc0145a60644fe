-- Names this session for the length of the transaction after the lease it works under. Inputs: session.
SELECT set_config('application_name', :session, true)
