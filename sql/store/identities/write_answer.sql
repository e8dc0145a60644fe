-- Keeps the answer to a chunk of claims; other claims than before (changed rules) get another answer.
-- Key: claimant, chunk_number. Inputs: claimant, chunk_number, claims_sha256, repeats.
INSERT INTO aiqleads.identity_answers (claimant, chunk_number, claims_sha256, repeats)
VALUES (:claimant, :chunk_number, :claims_sha256, :repeats)
ON CONFLICT (claimant, chunk_number) DO UPDATE
SET claims_sha256 = excluded.claims_sha256, repeats = excluded.repeats
