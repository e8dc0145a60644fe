"""Why a lead went on with less, or waits for a person."""

from __future__ import annotations

from aiqleads_pipeline.reasons.reason import Reason

LEADS = (
    # leads that went on with less
    Reason("enrichment_disabled", "lead", "Enrichment is switched off.", "Set FEATURE_FLAGS__enableEnrichment=true.",
           is_retryable=False),
    Reason("enrichment_failed", "lead", "Enrichment failed; the lead went on without it.", "See the run's log."),
    Reason("provider_unavailable", "lead", "A provider of enrichment could not be asked; the lead went on without it.",
           "Nothing to do: it is completed when the provider is back.", actor="nobody"),
    Reason("provider_refused", "lead", "A provider refuses to answer: credentials, credit or permission.",
           "Look at its secret and its account; see `aiqleads providers list`.", is_retryable=False),
    Reason("provider_budget_spent", "lead", "The money for enrichment is spent.",
           "It goes on by itself the next day or month; caps are in enrichment.yaml.", actor="nobody"),
    Reason("provider_out_of_time", "lead", "The time for enrichment was over before every provider was asked.",
           "Nothing to do: the lead is completed later.", actor="nobody"),
    Reason("scoring_disabled", "lead", "Scoring by model is switched off.",
           "Set FEATURE_FLAGS__enableMLScoring=true.", is_retryable=False),
    Reason("no_model", "lead", "There is no sound conversion model yet; rules scored.",
           "Drop outcomes under uploads/outcomes/ and materialise conversion_model.", is_retryable=False),
    Reason("model_failed", "lead", "The conversion model failed; rules scored.", "See the alert."),
    Reason("classification_failed", "lead", "Classification failed; default classes were taken.",
           "See the run's log.", is_retryable=True),
    # why a lead waits for a person
    Reason("no_rule", "review", "No routing rule matches.", "Add a rule or a catch-all to routing.yaml."),
    Reason("sent_to_review", "review", "A routing rule sends such leads to a person.",
           "Assign it by hand; the rule is named in the suggestion.", actor="team lead"),
    Reason("no_capacity", "review", "Every owner of the team is at capacity.",
           "Raise max_open_leads in teams.yaml, or assign by hand.", is_retryable=True, actor="team lead"),
    Reason("no_owner", "review", "The team has no active owner.", "Activate an owner in teams.yaml.",
           actor="team lead"),
    Reason("routing_disabled", "review", "Automatic routing is switched off.",
           "Set FEATURE_FLAGS__enableAutoRouting=true, or assign by hand.", actor="operator"),
    Reason("routing_failed", "review", "Routing failed; the leads of the batch wait for a person.",
           "See the run's log, mend the cause, run the partition again; or assign by hand.", actor="operator"),
)  # fmt: skip
