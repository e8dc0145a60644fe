-- One process at a time makes a signing key.
SELECT pg_advisory_xact_lock(hashtext('aiqleads signing keys'))
