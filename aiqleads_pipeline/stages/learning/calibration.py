"""Calibration: from log odds as a model gives them to probabilities that mean what they say. JSON in, JSON out."""

from __future__ import annotations

from typing import Any

import numpy as np

from aiqleads_pipeline.stages.learning.measures import fit_platt
from aiqleads_pipeline.stages.learning.types import Flags, Numbers

ISOTONIC_ROWS = 1_500  # with fewer rows, or outcomes of either kind, steps would be noise
ISOTONIC_OF_EACH = 150
_EDGE = 1e-6


def fit_calibration(margins: Numbers, won: Flags) -> dict[str, Any]:
    """Isotonic where there is enough to see a curve, else Platt's line; fitted on rows that the model did not see."""
    if len(won) >= ISOTONIC_ROWS and min(won.sum(), (~won).sum()) >= ISOTONIC_OF_EACH:
        return _fit_isotonic(margins, won)
    if not won.any() or won.all():
        return {"method": "platt", "slope": 1.0, "intercept": 0.0}
    slope, intercept = fit_platt(margins, won)
    if slope <= 0:  # a ranking is never turned around: then nothing is known but the usual rate
        share = (won.sum() + 1) / (len(won) + 2)
        return {"method": "platt", "slope": 0.0, "intercept": float(np.log(share / (1 - share)))}
    return {"method": "platt", "slope": slope, "intercept": intercept}


def calibrate(calibration: dict[str, Any], margins: Numbers) -> Numbers:
    """Probabilities, six decimals, never 0 or 1."""
    if calibration.get("method") == "isotonic":
        answers = np.interp(margins, calibration["margins"], calibration["shares"])
    else:
        odds = calibration["slope"] * margins + calibration["intercept"]
        answers = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
    return np.asarray(np.round(np.clip(answers, _EDGE, 1 - _EDGE), 6), dtype=np.float64)


def _fit_isotonic(margins: Numbers, won: Flags) -> dict[str, Any]:
    from scipy.optimize import isotonic_regression  # type: ignore[import-untyped]

    order = np.argsort(margins, kind="stable")
    fitted = isotonic_regression(won[order].astype(np.float64))
    blocks = fitted.blocks
    sizes = np.diff(blocks)
    # Joined by lines from middle to middle of the steps: a step would tie leads that the model told apart. The ends are
    # pulled off 0 and 1, which a step of a few rows can't vouch for.
    middles = np.add.reduceat(margins[order], blocks[:-1]) / sizes
    usual = float(won.mean())
    shares = (np.add.reduceat(won[order].astype(np.float64), blocks[:-1]) + 2 * usual) / (sizes + 2)
    shares = np.maximum.accumulate(shares)
    knots, places = np.unique(middles, return_index=True)
    return {
        "method": "isotonic",
        "margins": [float(value) for value in knots],
        "shares": [round(float(value), 6) for value in shares[places]],
    }
