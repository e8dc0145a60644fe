-- Removes keys that nothing good is signed with any more. Inputs: now.
DELETE FROM aiqleads.signing_keys
WHERE verifies_until <= :now
