-- Notes a call. Inputs: all columns; seconds ago it began.
INSERT INTO aiqleads.provider_calls (
    call_id, provider, kind, started_at, seconds, outcome, error_code, is_probe, keys_count, known_count, facts_count,
    refused_facts_count, cost_usd
)
VALUES (
    gen_random_uuid(), :provider, :kind, clock_timestamp() - make_interval(secs => :seconds), :seconds, :outcome,
    :error_code, :is_probe, :keys_count, :known_count, :facts_count, :refused_facts_count, :cost_usd
)
