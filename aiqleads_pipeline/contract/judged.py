"""The tables of scores and classes."""

from __future__ import annotations

from aiqleads_pipeline.contract.columns import JSON, REAL, TEXT, TEXTS, Column, Table
from aiqleads_pipeline.contract.lead import BATCH_ID, LEAD_ID
from aiqleads_pipeline.contract.vocabulary import (
    NAICS_SECTORS,
    PRIORITIES,
    SCORE_PARTS,
    SIZE_SEGMENTS,
    UNKNOWN_INDUSTRY,
)


def _score(name: str, description: str) -> Column:
    return Column(name, REAL, description, required=True, at_least=0, at_most=100)


SCORED_LEADS = Table(
    "scored_leads",
    "accepted lead",
    "Scores with their parts: `lead_score` is the sum of the `_points` columns, held within 0 and 100.",
    (
        LEAD_ID,
        BATCH_ID,
        _score("completeness_score", "How much of what sales needs is there"),
        _score("freshness_score", "How recent the lead's facts are"),
        _score("source_reliability_score", "How good leads of this source turned out to be"),
        _score("engagement_score", "What the lead did lately"),
        _score("quality_score", "Weighted mean of the four above"),
        _score("fit_score", "Who they are: weighted mean of segment and budget fit"),
        _score("interest_score", "What they do: weighted mean of engagement, intent and freshness"),
        _score("segment_fit_score", "How well it fits the ideal customer profile"),
        _score("budget_fit_score", "How well its budget fits"),
        _score("intent_score", "How strongly it signals to buy"),
        _score("historical_score", "How leads like it converted"),
        Column("conversion_prob", REAL, "Probability to convert", required=True, at_least=0, at_most=1),
        _score("lead_score", "The score people see"),
        *(
            Column(f"{part}_points", REAL, f"Points of `lead_score` that {part} brings", required=True)
            for part in SCORE_PARTS
        ),
        Column("weights_code", TEXT, "The segment of scoring.yaml whose weights counted, or `default`", required=True),
        Column("score_method", TEXT, "What gave the probability", required=True, one_of=("model", "rules")),
        Column("score_method_reason", TEXT, "Why the model did not score; null where it did"),
        Column(
            "score_rung",
            TEXT,
            "What gave the probability: the model, the rules, or the usual rate where no rule has anything to go by; "
            "`score_method_reason` says why not the one above",
            required=True,
            one_of=("model", "rules", "prior"),
        ),
        Column("model_version", TEXT, "The model that scored; null under rules"),
        Column(
            "reasons",
            JSON,
            "JSON list of the strongest parts and all others as one: part, points, effect, text; the points add up to "
            "`lead_score`",
            required=True,
        ),
        Column("degraded", TEXTS, "Codes of what had to be done without", required=True),
    ),
    key=("lead_id",),
)

CLASSIFIED_LEADS = Table(
    "classified_leads",
    "accepted lead",
    "Industry, size, priority and territory of each lead, and which of them are stated defaults.",
    (
        LEAD_ID,
        BATCH_ID,
        Column("industry_code", TEXT, "NAICS 2022 sector", required=True, one_of=(*NAICS_SECTORS, UNKNOWN_INDUSTRY)),
        Column("industry_name", TEXT, "Name of the sector", required=True),
        Column("size_segment", TEXT, "Size segment of the company", required=True, one_of=SIZE_SEGMENTS),
        Column("priority", TEXT, "How soon somebody must act", required=True, one_of=PRIORITIES),
        Column("priority_rule", TEXT, "The row of the decision table that gave the priority", required=True),
        Column("territory", TEXT, "Sales territory", required=True),
        Column(
            "territory_matched_on", TEXT, "account, postal_code, region, country, worldwide or default", required=True
        ),
        Column("defaults_applied", TEXTS, "Which classes are defaults for want of facts", required=True),
        Column("degraded", TEXTS, "Codes of what had to be done without", required=True),
    ),
    key=("lead_id",),
)
