-- The keys whose tokens may still be good, the newest first. Inputs: now.
SELECT kid, private_jwk, created_at, signs_until, verifies_until
FROM aiqleads.signing_keys
WHERE verifies_until > :now
ORDER BY created_at DESC, kid
