-- The answer to a chunk of claims, if these very claims were answered. Key: claimant, chunk_number.
-- Inputs: claimant, chunk_number, claims_sha256.
SELECT repeats FROM aiqleads.identity_answers
WHERE claimant = :claimant AND chunk_number = :chunk_number AND claims_sha256 = :claims_sha256
