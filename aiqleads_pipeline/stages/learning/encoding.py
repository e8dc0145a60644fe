"""Features as one matrix of numbers: codes for frequent categories, target statistics for those with many values.

Everything here is fitted on the rows it is given and nothing else: inside of a fold, on the fold's own rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aiqleads_pipeline.stages.learning.recipes import Feature
from aiqleads_pipeline.stages.learning.types import Codes, Flags, Matrix, Numbers

MOST_CODED = 30  # a category with more values gets target statistics
LEAST_ROWS = 10  # a rarer value tells nothing by itself
MOST_KEPT = 5_000
PRIOR_ROWS = 20.0
INNER_FOLDS = 4


@dataclass(frozen=True)
class Column:
    """One column of the matrix: ``number``, ``code`` (position in ``levels``) or ``target`` (log odds by value)."""

    feature: str
    kind: str
    sign: int = 0
    levels: tuple[str, ...] = ()
    values: tuple[float, ...] = ()
    usual: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """For the model's document."""
        return {**self.__dict__, "levels": list(self.levels), "values": list(self.values)}

    @classmethod
    def from_json(cls, entry: dict[str, Any]) -> Column:
        """Back from the document."""
        return cls(**{**entry, "levels": tuple(entry["levels"]), "values": tuple(entry["values"])})


def fit_columns(features: Sequence[Feature], won: Flags) -> list[Column]:
    """What the matrix of these features is made of, learnt from these rows."""
    return [_fit(feature, won) for feature in features]


def to_matrix(features: Sequence[Feature], columns: Sequence[Column]) -> Matrix:
    """Rows x columns, float32, NaN where nothing is known. Features are found by their place."""
    rows = len(features[0].is_missing) if features else 0
    matrix = np.empty((rows, len(columns)), dtype=np.float32)
    for place, (feature, column) in enumerate(zip(features, columns, strict=True)):
        matrix[:, place] = _encoded(feature, column)
    return matrix


def to_training_matrix(features: Sequence[Feature], columns: Sequence[Column], won: Flags, seed: int) -> Matrix:
    """The matrix of the very rows that were fitted on: a row's own outcome does not enter its target statistics."""
    matrix = to_matrix(features, columns)
    folds = np.random.default_rng(seed).integers(0, INNER_FOLDS, len(won))
    for place, (feature, column) in enumerate(zip(features, columns, strict=True)):
        if column.kind != "target":
            continue
        for fold in range(INNER_FOLDS):
            inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            if not len(inside) or not len(outside):
                continue
            taken = feature.taken(inside)
            matrix[outside, place] = _encoded(feature.taken(outside), _fit_target(taken, won[inside]))
    return matrix


def _fit(feature: Feature, won: Flags) -> Column:
    if feature.numbers is not None:
        return Column(feature.name, "number", feature.sign)
    coded: Codes = feature.codes  # type: ignore[assignment]
    codes = coded[coded >= 0]
    counts = np.bincount(codes, minlength=len(feature.words))
    if (counts > 0).sum() > MOST_CODED:
        return _fit_target(feature, won)
    frequent = sorted(np.flatnonzero(counts >= LEAST_ROWS), key=lambda code: (-counts[code], feature.words[code]))
    return Column(feature.name, "code", levels=tuple(feature.words[code] for code in frequent))


def _fit_target(feature: Feature, won: Flags) -> Column:
    codes: Codes = feature.codes  # type: ignore[assignment]
    known = codes >= 0
    size = len(feature.words)
    counts = np.bincount(codes[known], minlength=size)
    wins = np.bincount(codes[known], weights=won[known].astype(np.float64), minlength=size)
    usual = (float(won.sum()) + 0.5) / (len(won) + 1)
    kept = np.flatnonzero(counts >= 2)
    kept = kept[np.argsort(-counts[kept], kind="stable")][:MOST_KEPT]
    shares = (wins[kept] + PRIOR_ROWS * usual) / (counts[kept] + PRIOR_ROWS)
    odds = np.round(np.log(shares / (1 - shares)), 6)
    return Column(
        feature.name,
        "target",
        levels=tuple(feature.words[code] for code in kept),
        values=tuple(float(value) for value in odds),
        usual=round(float(np.log(usual / (1 - usual))), 6),
    )


def _encoded(feature: Feature, column: Column) -> Numbers:
    if column.kind == "number":
        return feature.numbers  # type: ignore[return-value]
    places = {level: place for place, level in enumerate(column.levels)}
    found = np.array([places.get(word, -1) for word in feature.words] + [-1], dtype=np.int64)[feature.codes]
    if column.kind == "code":
        return np.where(found >= 0, found.astype(np.float64), np.nan)
    values = np.append(np.asarray(column.values), column.usual)[found]
    return np.where(feature.codes >= 0, values, np.nan)  # type: ignore[operator]
