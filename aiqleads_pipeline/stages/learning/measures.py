"""How good probabilities are: ranking, error, calibration. Plain numpy, so that judging needs no heavy import.

Belongs here: numbers about answers and outcomes. Does not belong here: what is good enough (``trainer``).
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
    """Mean distance of answer and truth over equally filled bins of answers; equal answers share a bin."""
    edges = np.unique(np.quantile(answers, np.linspace(0, 1, bins + 1)[1:-1]))
    places = np.searchsorted(edges, answers, side="left")
    counts = np.bincount(places)
    gaps = np.abs(np.bincount(places, weights=answers) - np.bincount(places, weights=won.astype(np.float64)))
    return float(gaps[counts > 0].sum() / len(won))


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


def average_precision(answers: Numbers, won: Flags) -> float:
    """Mean precision over the won leads, best answers first; ties are taken as one step."""
    if not won.any():
        return float("nan")
    order = np.argsort(-answers, kind="stable")
    ranked, hits = answers[order], np.cumsum(won[order])
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    gained = np.diff(np.append(0, hits[ends]))
    return float((gained * hits[ends] / (ends + 1)).sum() / won.sum())


def lift_at(answers: Numbers, won: Flags, share: float = 0.1) -> float:
    """How many times the usual rate the best tenth is won; ties at the border count by their mean."""
    if not won.any():
        return float("nan")
    wanted = max(round(len(won) * share), 1)
    border = np.sort(answers)[-wanted]
    above, tied = answers > border, answers == border
    rest = wanted - int(above.sum())
    hits = float(won[above].sum()) + rest * float(won[tied].mean())
    return float(hits / wanted / won.mean())


def fold_auc(answers: Numbers, won: Flags, folds: np.ndarray[Any, np.dtype[np.int64]]) -> float:
    """Mean AUC within the folds, weighted by pairs: answers of different folds come of different models."""
    total, weights = 0.0, 0.0
    for fold in np.unique(folds):
        inside = folds == fold
        found = auc(answers[inside], won[inside])
        weight = float(won[inside].sum()) * float((~won[inside]).sum())
        if weight:
            total, weights = total + weight * found, weights + weight
    return total / weights if weights else float("nan")


def measure(answers: Numbers, won: Flags, folds: np.ndarray[Any, np.dtype[np.int64]] | None = None) -> dict[str, float]:
    """All that is said of probabilities: ranking, precision, error, calibration, lift."""
    return {
        "auc": auc(answers, won) if folds is None else fold_auc(answers, won, folds),
        "average_precision": average_precision(answers, won),
        "brier": brier(answers, won),
        "ece": calibration_error(answers, won),
        "lift_at_10": lift_at(answers, won),
    }


def with_intervals(
    answers: Numbers,
    won: Flags,
    folds: np.ndarray[Any, np.dtype[np.int64]] | None = None,
    seed: int = 0,
    samples: int = 60,
) -> dict[str, dict[str, float]]:
    """Each measure as ``{value, low, high}``: 95 % by bootstrap over rows.

    Calibration error is biased upwards in small samples (noise alone makes a gap): its interval is shifted back.
    """
    value = measure(answers, won, folds)
    random = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {name: [] for name in value}
    for _ in range(samples):
        pick = random.integers(0, len(won), len(won))
        for name, found in measure(answers[pick], won[pick], None if folds is None else folds[pick]).items():
            drawn[name].append(found)
    told = {}
    for name, found in value.items():
        sample = np.asarray(drawn[name])
        sample = sample[~np.isnan(sample)]
        if not len(sample):
            told[name] = {"value": found, "low": found, "high": found}
            continue
        shift = found - float(np.median(sample)) if name == "ece" else 0.0
        low, high = (float(q) + shift for q in np.quantile(sample, [0.025, 0.975]))
        told[name] = {"value": found, "low": max(min(low, found), 0.0), "high": max(high, found)}
    return told


def auc_by_chance(won: Flags) -> float:
    """Standard deviation of the AUC of answers that know nothing."""
    good, bad = float(won.sum()), float((~won).sum())
    return float(np.sqrt((good + bad + 1) / (12 * good * bad))) if good and bad else float("inf")
