"""Whether leads, their scores and what was foretold of them still are what they were.

Belongs here: measures and their levels. Does not belong here: what is done about it (``assets.score_drift``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from aiqleads_pipeline.stages.engine import run_sql

USUAL, WARNING, ALERT = 0, 1, 2
# The customary bounds of the population stability index.
PSI_WARNING, PSI_ALERT = 0.1, 0.25
LEAST_LEADS = 100  # on either side: fewer differ by chance
LEAST_OUTCOMES = 30
Z_WARNING, Z_ALERT = 2.5, 4.0  # standard errors between what was foretold and what came true
LEAST_RATIO = 1.2  # nearer than that is honest enough, however sure the difference is


@dataclass(frozen=True)
class Drift:
    """How far one thing has moved: its level, the measure, and both in words."""

    subject: str
    level: int
    value: float
    detail: str


def feature_drifts(con: DuckDBPyConnection, leads: DuckDBPyRelation) -> list[Drift]:
    """Population stability of each feature (``feature:<name>``) and of the score (``score``), the largest first.

    Args:
        leads: ENRICHED_LEADS with ``lead_score`` and ``is_now``.
    """
    found = []
    for name, psi, values, now, before in run_sql(con, "stages/drift/stability", drift_leads=leads).fetchall():
        subject = "score" if name == "lead_score" else f"feature:{name}"
        if min(now, before) < LEAST_LEADS:
            found.append(Drift(subject, USUAL, psi, f"too few leads to say: {now} now, {before} before"))
            continue
        # Small samples have an index above 0 by chance: about its expectation is taken off.
        sure = max(psi - (values - 1) * (1 / now + 1 / before), 0.0)
        level = ALERT if sure > PSI_ALERT else WARNING if sure > PSI_WARNING else USUAL
        found.append(Drift(subject, level, round(sure, 4), f"PSI {sure:.3f} over {now} leads now and {before} before"))
    return found


def calibration_drift(con: DuckDBPyConnection, foretold: DuckDBPyRelation) -> tuple[Drift, list[dict[str, Any]]]:
    """Whether as many leads were won as was foretold (``calibration``), and the bands that it was seen in.

    Args:
        foretold: ``conversion_prob, is_won`` of leads that were closed lately.
    """
    relation = run_sql(con, "stages/drift/calibration", foretold=foretold)
    bands = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    count = sum(band["leads_count"] for band in bands)
    if count < LEAST_OUTCOMES:
        return Drift("calibration", USUAL, 0.0, f"too few outcomes to say: {count}"), bands
    sums = (sum(band[name] for band in bands) for name in ("expected_count", "won_count", "variance"))
    expected, won, variance = sums
    z = (won - expected) / math.sqrt(max(variance, 1e-9))
    ratio = (won + 0.5) / (expected + 0.5)
    is_far = max(ratio, 1 / ratio) >= LEAST_RATIO
    level = ALERT if is_far and abs(z) > Z_ALERT else WARNING if is_far and abs(z) > Z_WARNING else USUAL
    words = f"{won:.0f} of {count} leads were won ({won / count:.1%}), foretold were {expected / count:.1%}"
    return Drift("calibration", level, round(ratio, 4), words), bands
