-- Keeps what a provider answered; the newest answer stays. Grain: key. Inputs: provider, answered_at, and arrays of one length.
INSERT INTO aiqleads.provider_answers (
    provider, key_sha256, state, facts, confidence_share, cost_usd, answered_at
)
SELECT
    :provider, answer.key_sha256, answer.state, cast(answer.facts AS jsonb), answer.confidence_share,
    answer.cost_usd, :answered_at
FROM
    unnest(
        cast(:keys AS bytea[]), cast(:states AS text[]), cast(:facts AS text[]),
        cast(:confidences AS float8[]), cast(:costs AS float8[])
    ) AS answer (key_sha256, state, facts, confidence_share, cost_usd)
ON CONFLICT (provider, key_sha256) DO UPDATE
SET
    state = excluded.state, facts = excluded.facts, confidence_share = excluded.confidence_share,
    cost_usd = excluded.cost_usd, answered_at = excluded.answered_at
