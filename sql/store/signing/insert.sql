-- A new signing key. Inputs: kid, private_jwk (JSON, a secret), now, signs_until, verifies_until.
INSERT INTO aiqleads.signing_keys (kid, private_jwk, created_at, signs_until, verifies_until)
VALUES (:kid, cast(:private_jwk AS jsonb), :now, :signs_until, :verifies_until)
