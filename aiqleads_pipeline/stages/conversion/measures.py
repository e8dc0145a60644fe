"""How good probabilities are: ranking, error, calibration. Plain numpy, so that judging needs no heavy import.

Belongs here: numbers about answers and outcomes. Does not belong here: what is good enough (``training``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


def auc(answers: Numbers, won: Flags) -> float:
    """Probability that a won lead ranks above one that was not; ties count half. NaN with one class only."""
    _, places, counts = np.unique(answers, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[places]
    good = int(won.sum())
    bad = len(won) - good
    if not good or not bad:
        return float("nan")
    return float((ranks[won].sum() - good * (good + 1) / 2) / (good * bad))


def auc_lower_bound(answers: Numbers, won: Flags, seed: int, samples: int = 200) -> float:
    """The 2.5 % quantile of the AUC over bootstrap samples of at most 20,000 rows."""
    random = np.random.default_rng(seed)
    size = min(len(won), 20_000)
    found = []
    for _ in range(samples):
        pick = random.integers(0, len(won), size)
        found.append(auc(answers[pick], won[pick]))
    return float(np.nanquantile(found, 0.025)) if not np.isnan(found).all() else float("nan")


def brier(answers: Numbers, won: Flags) -> float:
    """Mean squared error of probabilities."""
    return float(np.mean((answers - won) ** 2))


def calibration_error(answers: Numbers, won: Flags, bins: int = 10) -> float:
    """Mean distance of answer and truth over equally filled bins of answers."""
    parts = np.array_split(np.argsort(answers, kind="stable"), bins)
    gaps = [abs(answers[part].mean() - won[part].mean()) * len(part) for part in parts if len(part)]
    return float(sum(gaps) / len(won))


def fit_platt(margins: Numbers, won: Flags, steps: int = 100) -> tuple[float, float]:
    """Slope and intercept of the logistic through log odds and outcomes, by Newton's method.

    Targets are pulled off 0 and 1 as Platt does, so that a clean split does not give an infinite slope.
    """
    good, bad = int(won.sum()), int((~won).sum())
    target = np.where(won, (good + 1) / (good + 2), 1 / (bad + 2))
    design = np.column_stack([margins, np.ones_like(margins)])
    weights = np.array([1.0, 0.0])
    for _ in range(steps):
        answer = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        curve = (design * (answer * (1 - answer))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.linalg.solve(curve, design.T @ (answer - target))
        weights = weights - step
        if np.abs(step).max() < 1e-9:
            break
    return float(weights[0]), float(weights[1])
