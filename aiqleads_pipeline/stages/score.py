"""Scores leads: nine parts, their points, their sum, and the strongest parts in words.

Belongs here: handing rules and inputs to ``sql/stages/score`` and falling back to rules when a model fails. Does not
belong here: what a part is worth (``data/rules/scoring.yaml``, ``icp.yaml``) and the model (``stages.conversion``).
"""

from __future__ import annotations

import logging
import math
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.contract import FIT_PARTS, INTEREST_PARTS, QUALITY_PARTS, SCORE_PARTS
from aiqleads_pipeline.reasons import describe
from aiqleads_pipeline.rules.score_weights import EVERY_LEAD
from aiqleads_pipeline.stages.engine import run_sql, set_variables

if TYPE_CHECKING:
    from aiqleads_pipeline.rules.score_weights import Weights
    from aiqleads_pipeline.rules.scoring import Scoring, ScoringRules
    from aiqleads_pipeline.stages.conversion import ConversionModel

RELIABILITY_COLUMNS = (
    "NULL::VARCHAR AS source, NULL::VARCHAR AS segment_code, NULL::DOUBLE AS reliability_score, "
    "NULL::DOUBLE AS historical_score, NULL::BIGINT AS leads_count, NULL::BIGINT AS closed_count, "
    "NULL::BIGINT AS won_count"
)
METHOD_CODES = ("no_model", "model_failed", "scoring_disabled")
NO_ANSWER = "model_failed: the model gave no answer for this lead"
NOTHING_TO_JUDGE = "Nor do the rules: nothing that they judge is known of the lead; it gets the usual rate."
TOLD_PARTS = 4  # how many parts the reasons tell one by one
EVERY_LEAD_BIT = 1 << 60  # above the bits of all segments: the weights of leads in none
_SEGMENT_FACTS = ("industries", "sizes", "countries", "sources")
_NEVER_MATCHES = r"[^\s\S]"
_log = logging.getLogger(__name__)


def score_leads(  # noqa: PLR0913 - each is an input of its own
    con: DuckDBPyConnection,
    enriched: DuckDBPyRelation,
    rules: ScoringRules,
    *,
    as_of: datetime,
    reliability: DuckDBPyRelation | None = None,
    touches: DuckDBPyRelation | None = None,
    model: ConversionModel | None = None,
    method_reason: str | None = None,
    all_reasons: bool = False,
) -> DuckDBPyRelation:
    """The lazy relation of SCORED_LEADS.

    Args:
        con: a connection of ``open_engine``.
        enriched: ENRICHED_LEADS; read twice where a model scores, so pass what is cheap to read again (Parquet).
        rules: of ``load_scoring``.
        as_of: the moment that ages are counted to (UTC): ``received_at`` of the batch, or now when scoring again.
        reliability: of ``source_reliability``; None where there is no history.
        touches: ``existing_lead_id, touches_count``: how often each lead came again; None for never.
        model: scores the probability. When it fails, rules do, with ``model_failed``.
        method_reason: why there is no model: ``no_model``, ``model_failed`` or ``scoring_disabled``, optionally
            followed by ``: detail``. It is written to ``score_method_reason`` and its code to ``degraded``.
        all_reasons: put every part in words, instead of the strongest and one entry for all others.

    Raises:
        ValueError: neither a model nor one of the reasons was given.
    """
    probabilities = None
    usual_prob = rules.scoring.conversion.base_prob
    if model is not None:
        try:
            probabilities = model.predict(con, enriched, as_of)
            usual_prob = model.usual_prob
        except Exception as error:  # whatever a model does wrong, rules score
            _log.warning("conversion model %s failed: %s", model.version, type(error).__name__)
            method_reason = f"model_failed: {model.version} raised {type(error).__name__}"
            model = None
    if model is None and (method_reason is None or method_reason.split(":")[0] not in METHOD_CODES):
        raise ValueError(f"without a model method_reason must begin with one of {', '.join(METHOD_CODES)}")
    method_reason = None if model else method_reason
    _set_rules(con, rules)
    set_variables(
        con,
        score_as_of=as_of,
        score_run={
            **_sums(rules),
            "usual_prob": float(usual_prob),
            "model_version": model.version if model else "",
            "method_reason": _in_words(method_reason or NO_ANSWER),
            "prior_reason": f"{_in_words(method_reason or NO_ANSWER).rstrip('.')}. {NOTHING_TO_JUDGE}",
            "degraded_code": (method_reason or NO_ANSWER).split(":")[0],
            "reasons_count": len(SCORE_PARTS) if all_reasons else TOLD_PARTS,
        },
    )
    parts = run_sql(
        con,
        "stages/score/parts",
        score_enriched=enriched,
        score_reliability=reliability if reliability is not None else no_reliability(con),
        score_touches=touches if touches is not None else no_touches(con),
        score_probabilities=probabilities if probabilities is not None else _no_probabilities(con),
    )
    return run_sql(con, "stages/score/scored", score_parts=parts)


def source_reliability(
    con: DuckDBPyConnection, history: DuckDBPyRelation, outcomes: DuckDBPyRelation, rules: ScoringRules
) -> DuckDBPyRelation:
    """What became of each source's leads: ``reliability_score`` and ``historical_score`` (0-100, 50 is the mean).

    Args:
        con: a connection of ``open_engine``.
        history: ``source, received_count, rejected_count``; several rows of a source are summed.
        outcomes: ``source, industry_code, employee_band, result`` (``won``, ``lost``, ``returned``), one per lead.
        rules: of ``load_scoring``: how strongly sources are shrunk to the mean.

    Returns a small table, already computed: one row per source (``segment_code`` null) and one per source and segment.
    """
    _set_rules(con, rules)
    learnt = run_sql(
        con, "stages/score/reliability", reliability_history=history, reliability_outcomes=outcomes
    ).to_arrow_table()
    return con.from_arrow(learnt)


def no_reliability(con: DuckDBPyConnection) -> DuckDBPyRelation:
    """What ``source_reliability`` gives when nothing is known: no row."""
    return con.sql(f"SELECT {RELIABILITY_COLUMNS} LIMIT 0")


def no_touches(con: DuckDBPyConnection) -> DuckDBPyRelation:
    """Touches when no lead came again: no row."""
    return con.sql("SELECT NULL::UUID AS existing_lead_id, NULL::BIGINT AS touches_count LIMIT 0")


def _no_probabilities(con: DuckDBPyConnection) -> DuckDBPyRelation:
    return con.sql("SELECT NULL::UUID AS lead_id, NULL::DOUBLE AS conversion_prob LIMIT 0")


def _in_words(method_reason: str) -> str:
    code, _, detail = method_reason.partition(":")
    return f"{code}: {detail.strip() or describe(code)}"


def _set_rules(con: DuckDBPyConnection, rules: ScoringRules) -> None:
    """One small variable per section of the rules: SQL copies a variable wherever it is named, so none is large."""
    scoring, icp = rules.scoring, rules.icp
    keywords = scoring.intent.keywords
    set_variables(
        con,
        score_segment_weights=_segment_weights(scoring),
        score_segment_sources=[
            {"code": code, "segments": _segments(scoring, "sources", code)}
            for code in ("", *_listed(scoring, "sources"))  # no source is '': DuckDB can't read columns off no row
        ],
        score_neutral={**scoring.neutral.model_dump(), "conversion": 50.0},
        score_fields=scoring.completeness.fields.model_dump(),
        score_email_kinds=scoring.completeness.email_kinds.model_dump(),
        score_freshness=_flat(scoring.freshness.model_dump()),
        score_engagement=_flat(scoring.engagement.model_dump()),
        score_intent={
            **scoring.intent.model_dump(exclude={"keywords"}),
            **{f"{group}_points": float(words.points) for group, words in keywords},
            **{f"{group}_pattern": _pattern(words.words) for group, words in keywords},
        },
        score_shrinkage={
            **scoring.shrinkage.model_dump(),
            "returned_value": scoring.returned_value,
            "acceptance_weight": scoring.acceptance_weight,
        },
        score_coefficients=scoring.conversion.coefficients.model_dump(),
        score_icp_weights=icp.weights.model_dump(),
        score_budget=icp.budget.model_dump(),
        **{
            f"score_fit_{key}": _fit_rows(scoring, key, getattr(icp, key))
            for key in ("industries", "sizes", "countries", "seniorities", "functions")
        },
    )


def _sums(rules: ScoringRules) -> dict[str, float | int]:
    """What can be worked out once per run."""
    base = rules.scoring.conversion.base_prob
    return {
        "base_log_odds": math.log(base / (1 - base)),
        "fields_weight": sum(rules.scoring.completeness.fields.model_dump().values()),
        "icp_weight": sum(rules.icp.weights.model_dump().values()),
        "unlisted_fit": rules.icp.unlisted,
        **{f"other_{key}": _segments(rules.scoring, key, None) for key in _SEGMENT_FACTS},
    }


def _segment_weights(scoring: Scoring) -> list[dict[str, Any]]:
    """One row per segment: its bit, its id, the weight of each part, and sums of them."""
    rows = [(1 << i, segment.id, segment.weights) for i, segment in enumerate(scoring.segments)]
    return [_weight_row(*row) for row in (*rows, (EVERY_LEAD_BIT, EVERY_LEAD, scoring.weights))]


def _weight_row(bit: int, code: str, weights: Weights) -> dict[str, Any]:
    shares: dict[str, float] = weights.model_dump()
    sums = {"quality": QUALITY_PARTS, "fit": FIT_PARTS, "interest": INTEREST_PARTS}
    return {
        "bit": bit,
        "weights_code": code,
        **{f"{part}_weight": float(shares[part]) for part in SCORE_PARTS},
        **{f"{name}_weight": float(sum(shares[part] for part in parts) or 1.0) for name, parts in sums.items()},
    }


def _segments(scoring: Scoring, key: str, code: str | None) -> int:
    """The segments, as bits, that a fact allows; ``code`` None for a fact that is unknown or in no list."""
    bits = EVERY_LEAD_BIT
    for i, segment in enumerate(scoring.segments):
        asked = getattr(segment, key, [])
        bits |= (1 << i) * (not asked or code in asked)
    return bits


def _listed(scoring: Scoring, key: str) -> list[str]:
    """The codes that segments ask for, each once."""
    return list(dict.fromkeys(code for segment in scoring.segments for code in getattr(segment, key, [])))


def _fit_rows(scoring: Scoring, key: str, fits: dict[str, float]) -> list[dict[str, Any]]:
    """How well each code of a fact fits, and the segments that it allows; a code in segments only fits as unlisted."""
    codes = (*fits, *(code for code in _listed(scoring, key) if code not in fits))
    return [
        {
            "code": code,
            "fit": float(fits[code]) if code in fits else None,
            "segments": _segments(scoring, key, code),
        }
        for code in codes
    ]


def _flat(section: dict[str, Any]) -> dict[str, float]:
    """``{created: {weight: 2}}`` as ``{created_weight: 2}``."""
    flat: dict[str, float] = {}
    for name, value in section.items():
        flat |= {f"{name}_{key}": inner for key, inner in value.items()} if isinstance(value, dict) else {name: value}
    return flat


def _pattern(words: list[str]) -> str:
    """One RE2 pattern for whole words; blanks in a phrase match any white space."""
    if not words:
        return _NEVER_MATCHES
    phrases = (r"\s+".join(re.escape(piece) for piece in word.split()) for word in words)
    # Plain classes for the edges: those of all Unicode letters take RE2 longer to build than 100 leads to score.
    return rf"(?:^|[^a-z0-9])(?:{'|'.join(phrases)})(?:[^a-z0-9]|$)"
