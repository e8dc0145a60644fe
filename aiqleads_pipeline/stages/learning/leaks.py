"""Columns that know the outcome: found by evidence, named with it, and refused unless allowed by name.

Four signs, each with its own threshold: a column that alone predicts nearly everything; one that is filled (or differs
from its usual value) for one outcome only, or never empty for one; one whose name speaks of what comes after the
outcome and whose values bear it out; one that alone ranks as well as all others together and within whose range the
outcome never happens. Patterns of empty cells and pairs are asked as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from aiqleads_pipeline.stages.learning import trees
from aiqleads_pipeline.stages.learning.encoding import Column, fit_columns, to_matrix, to_training_matrix
from aiqleads_pipeline.stages.learning.measures import auc, auc_by_chance
from aiqleads_pipeline.stages.learning.recipes import Feature
from aiqleads_pipeline.stages.learning.table import Labelled
from aiqleads_pipeline.stages.learning.types import Codes, Flags, Numbers

NEARLY_EVERYTHING = 0.90  # AUC of one column alone
TOGETHER = 0.975  # AUC of all columns: no honest lead table is that easy
PATTERN = 0.90  # AUC of nothing but which cells are empty
PURE = 0.01  # of the rows expected by the usual rate at most may be exceptions
LEAST_EXPECTED = 15.0
PURE_LIFT = 5.0  # a value that nearly always wins must be that far above the usual rate
STRONG = 0.75
GATE_SHARE = 0.05
GATE_RATE = 0.03  # of the usual rate, at most, within the gate
FOLDS = 4
BINS = 20
SEED = 20_261_123

_AFTER_WORDS = """
    duration outcome result won lost closed close closing conversion converted booked booking sold sale signed purchase
    purchased purchases order ordered revenue invoice invoiced paid payment contract churn churned cancelled refund
    disposition status stage tag tags reason lifecycle deal onboarded activated
"""
_AFTER = frozenset(_AFTER_WORDS.split())
_BEFORE = frozenset(("previous", "prior", "last", "past", "first", "earlier", "campaign", "expected", "target", "prev"))


@dataclass(frozen=True)
class Leak:
    """One column and why it is refused."""

    column: str
    kind: str  # predicts_everything, one_outcome_only, known_after, gate, empty_pattern, together
    evidence: str
    auc: float

    def as_json(self) -> dict[str, Any]:
        """For reports."""
        return dict(self.__dict__)


def find_leaks(data: Labelled, allowed: Collection[str] = (), threads: int = 1) -> tuple[list[Leak], dict[str, float]]:
    """The leaks of a table, and the AUC of every column alone, out of fold. Allowed ones are measured only."""
    alone: dict[str, float] = {}
    found: dict[str, Leak] = {}
    folds = np.random.default_rng(SEED).integers(0, FOLDS, data.rows)
    chance = auc_by_chance(data.won)
    for feature in data.features:
        answers = _alone(feature, data.won, folds)
        value = auc(answers, data.won)
        alone[feature.column] = max(alone.get(feature.column, 0.0), value)
        if feature.column in found or feature.column in allowed:
            continue
        leak = (
            _predicts_everything(feature, value)
            or _one_outcome_only(feature, data.won)
            or _named_after(feature, value, chance)
        )
        if leak:
            found[feature.column] = leak
    _ask_strong(data, found, allowed, alone, folds, threads)
    _ask_empty_pattern(data, found, allowed, threads)
    _ask_together(data, found, allowed, threads)
    return list(found.values()), alone


def _alone(feature: Feature, won: Flags, folds: Codes) -> Numbers:
    """The rate of a row's bin or value in the other folds, shrunk: what the column knows by itself, in any shape."""
    if feature.codes is not None:
        bins = feature.codes + 1
    else:
        numbers: Numbers = feature.numbers  # type: ignore[assignment]
        known = numbers[~np.isnan(numbers)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if len(known) else np.zeros(0)
        bins = np.where(np.isnan(numbers), 0, np.searchsorted(edges, numbers, side="right") + 1)
    size = int(bins.max()) + 1
    answers = np.zeros(len(won))
    for fold in range(FOLDS):
        outside, inside = folds == fold, folds != fold
        if not inside.any():
            continue
        usual = float(won[inside].mean())
        counts = np.bincount(bins[inside], minlength=size)
        wins = np.bincount(bins[inside], weights=won[inside].astype(np.float64), minlength=size)
        answers[outside] = ((wins + 10 * usual) / (counts + 10) - usual)[bins[outside]]
    return answers


def _predicts_everything(feature: Feature, value: float) -> Leak | None:
    if value < NEARLY_EVERYTHING:
        return None
    evidence = f"alone it predicts nearly everything: AUC {value:.3f}"
    return Leak(feature.column, "predicts_everything", evidence, value)


def _one_outcome_only(feature: Feature, won: Flags) -> Leak | None:
    """Filled or empty, usual value or another: whether one side of either has one outcome only."""
    usual = float(won.mean())
    sides = [("filled", ~feature.is_missing), ("empty", feature.is_missing)]
    values = feature.codes if feature.codes is not None else feature.numbers
    known = values[~feature.is_missing]  # type: ignore[index]
    distinct, counts = np.unique(known, return_counts=True)
    if len(distinct) > 1 and counts.max() > 0.2 * len(won):
        mode = distinct[counts.argmax()]
        name = feature.words[int(mode)] if feature.codes is not None else f"{mode:g}"
        sides.append((f"not {name!r}", ~feature.is_missing & (values != mode)))
    for name, rows in sides:
        size = int(rows.sum())
        if not size or size == len(won):
            continue
        wins = int(won[rows].sum())
        losses = size - wins
        if usual * size >= LEAST_EXPECTED and wins <= PURE * usual * size:
            text = f"where it is {name} ({size:,} rows) {wins} are won, {usual * size:,.0f} would be usual"
            return Leak(feature.column, "one_outcome_only", text, auc(rows.astype(float) * -1, won))
        is_pure = losses <= PURE * (1 - usual) * size and (1 - usual) * size >= LEAST_EXPECTED
        if is_pure and (1 / usual >= PURE_LIFT or wins > 0.2 * won.sum()):
            text = f"where it is {name} ({size:,} rows) {losses} are lost, {(1 - usual) * size:,.0f} would be usual"
            return Leak(feature.column, "one_outcome_only", text, auc(rows.astype(float), won))
    return None


def _named_after(feature: Feature, value: float, chance: float) -> Leak | None:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", feature.column)
    tokens = set(re.split(r"[^a-z0-9]+", words.casefold()))
    told = sorted(tokens & _AFTER)
    if not told or tokens & _BEFORE or value < max(0.65, 0.5 + 5 * chance):
        return None
    text = f"its name ({told[0]!r}) speaks of what is known after the outcome, and alone it has AUC {value:.3f}"
    return Leak(feature.column, "known_after", text, value)


def _ask_strong(
    data: Labelled,
    found: dict[str, Leak],
    allowed: Collection[str],
    alone: dict[str, float],
    folds: Codes,
    threads: int,
) -> None:
    """A strong column with a gate that all others together can't match."""
    for feature in data.features:
        value = alone[feature.column]
        if feature.column in found or feature.column in allowed or value < STRONG or feature.numbers is None:
            continue
        gate = _gate(feature, data.won)
        if gate is None:
            continue
        skipped = {feature.column, *found}
        others = [each for each in data.features if each.column not in skipped]
        together = _together(others, data.won, folds, threads) if others else 0.5
        if value >= together - 0.03:
            text = f"alone it has AUC {value:.3f}, all others together {together:.3f}; {gate}"
            found[feature.column] = Leak(feature.column, "gate", text, value)


def _gate(feature: Feature, won: Flags) -> str | None:
    """An end of the range with many rows where nothing is practically ever won."""
    numbers: Numbers = feature.numbers  # type: ignore[assignment]
    known = np.flatnonzero(~np.isnan(numbers))
    order = known[np.argsort(numbers[known], kind="stable")]
    size = int(GATE_SHARE * len(won))
    for outcome, word in ((won, "won"),):  # a certain loss is a gate; a near-certain win may be earned
        usual = float(outcome.mean())
        if usual * size < LEAST_EXPECTED:
            continue
        for rows, sign in ((order[:size], "up to"), (order[-size:], "from")):
            hits = int(outcome[rows].sum())
            if hits <= GATE_RATE * usual * size:
                edge = numbers[rows].max() if sign == "up to" else numbers[rows].min()
                return f"{sign} {edge:g} ({size:,} rows) {hits} are {word}, {usual * size:,.0f} would be usual"
    return None


def _ask_empty_pattern(data: Labelled, found: dict[str, Leak], allowed: Collection[str], threads: int) -> None:
    """Whether nothing but which cells are empty tells the outcome; the columns that carry it are named together."""
    flags: dict[str, Feature] = {}
    for feature in data.features:
        missing = feature.is_missing
        if feature.column not in found and feature.column not in allowed and missing.any() and not missing.all():
            flags[feature.column] = Feature(feature.column, feature.column, numbers=missing.astype(np.float64))
    _refuse_while(data, list(flags.values()), PATTERN, found, "empty_pattern", threads)


def _ask_together(data: Labelled, found: dict[str, Leak], allowed: Collection[str], threads: int) -> None:
    """Whether all that is left still predicts nearly everything: then the columns that carry it are named."""
    left = [each for each in data.features if each.column not in found]
    _refuse_while(data, left, TOGETHER, found, "together", threads, allowed)


def _refuse_while(
    data: Labelled,
    features: list[Feature],
    limit: float,
    found: dict[str, Leak],
    kind: str,
    threads: int,
    allowed: Collection[str] = (),
) -> None:
    """Refuse the column that carries most until what is left predicts less than the limit."""
    folds = np.random.default_rng(SEED).integers(0, FOLDS, data.rows)
    what = {
        "empty_pattern": "which cells are empty tells the outcome",
        "together": "with the other columns it predicts nearly everything",
    }[kind]
    for _ in range(len(features)):
        if not features or min(data.won.sum(), (~data.won).sum()) < LEAST_EXPECTED:
            return
        gains: dict[str, float] = {}
        value = _together(features, data.won, folds, threads, gains)
        if value < limit:
            return
        ranked = sorted((c for c in gains if c not in allowed), key=lambda column: -gains[column])
        if not ranked:
            return
        text = f"{what}: AUC {value:.3f}; it carries {gains[ranked[0]]:.0%} of that"
        found[ranked[0]] = Leak(ranked[0], kind, text, value)
        features = [each for each in features if each.column != ranked[0]]


def _together(
    features: list[Feature], won: Flags, folds: Codes, threads: int, gains: dict[str, float] | None = None
) -> float:
    """AUC of rough trees on all features, each half judged by trees of the other; ``gains`` gets shares by column."""
    answers = np.zeros(len(won))
    half = folds % 2
    for side in (0, 1):
        inside, outside = np.flatnonzero(half != side), np.flatnonzero(half == side)
        if min(won[inside].sum(), (~won[inside]).sum()) < 2:
            return 0.5
        fitted = [feature.taken(inside) for feature in features]
        columns: list[Column] = fit_columns(fitted, won[inside])
        matrix = to_training_matrix(fitted, columns, won[inside], SEED)
        booster = trees.quick_trees(matrix, won[inside], columns, SEED, threads)
        judged = to_matrix([feature.taken(outside) for feature in features], columns)
        answers[outside] = booster.inplace_predict(judged, missing=np.nan)
        if gains is not None:
            _add_gains(booster, features, gains)
    total = sum((gains or {}).values()) or 1.0
    if gains is not None:
        for column in gains:
            gains[column] /= total
    values = [auc(answers[half == side], won[half == side]) for side in (0, 1)]
    return float(np.mean(values))


def _add_gains(booster: Any, features: list[Feature], gains: dict[str, float]) -> None:
    score: Callable[..., dict[str, Any]] = booster.get_score
    for name, gain in score(importance_type="total_gain").items():
        column = features[int(name.removeprefix("f"))].column
        gains[column] = gains.get(column, 0.0) + float(gain)
