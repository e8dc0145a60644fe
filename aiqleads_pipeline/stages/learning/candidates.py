"""The models that compete: boosted trees, logistic regression, naive Bayes, and the usual rate for everybody.

Each is fitted to a matrix (see ``encoding``) and is a JSON document afterwards; ``margins`` gives log odds and
``parts`` what each column adds to them.
Belongs here: fitting and answering. Does not belong here: who wins (``trainer``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aiqleads_pipeline.stages.learning.encoding import Column
from aiqleads_pipeline.stages.learning.types import Flags, Matrix, Numbers

RIDGE = 1.0
BINS = 5
SMOOTHING = 0.1  # of the frequencies, as Odoo's predictive lead scoring does it


def fit_prior(won: Flags) -> dict[str, Any]:
    """The usual rate for everybody."""
    share = (won.sum() + 0.5) / (len(won) + 1)
    return {"kind": "prior", "log_odds": float(np.log(share / (1 - share)))}


def fit_logistic(matrix: Matrix, won: Flags, columns: Sequence[Column]) -> dict[str, Any]:
    """Ridge regression of log odds by Newton's method: numbers in units of their spread, a flag per category."""
    shapes = [_shape(matrix[:, place], column) for place, column in enumerate(columns)]
    design = np.column_stack([np.ones(len(won)), *_design(matrix, shapes)])
    weights = np.zeros(design.shape[1])
    penalty = RIDGE * np.eye(design.shape[1])
    penalty[0, 0] = 1e-9
    for _ in range(30):
        answer = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        curve = (design * (answer * (1 - answer))[:, None]).T @ design + penalty
        step = np.linalg.solve(curve, design.T @ (answer - won) + penalty @ weights)
        weights = weights - step
        if np.abs(step).max() < 1e-6:
            break
    return {"kind": "logistic", "shapes": shapes, "weights": [float(weight) for weight in weights]}


def fit_naive_bayes(matrix: Matrix, won: Flags, columns: Sequence[Column]) -> dict[str, Any]:
    """Smoothed frequencies of each value among won and lost leads; the unknown does not count; numbers in fifths."""
    tables = []
    for place, column in enumerate(columns):
        values = matrix[:, place]
        known = ~np.isnan(values)
        edges: list[float] = []
        if column.kind != "code" and known.any():
            edges = [float(e) for e in np.unique(np.quantile(values[known], np.linspace(0, 1, BINS + 1)[1:-1]))]
        levels = len(column.levels) if column.kind == "code" else len(edges) + 1
        level = _levels(values[known], edges, column.kind == "code")
        good = np.bincount(level[won[known]], minlength=levels) + SMOOTHING
        bad = np.bincount(level[~won[known]], minlength=levels) + SMOOTHING
        ratio = np.log(good / good.sum()) - np.log(bad / bad.sum()) if levels else np.zeros(0)
        tables.append({"edges": edges, "is_code": column.kind == "code", "log_ratio": [float(r) for r in ratio]})
    return {"kind": "naive_bayes", "log_odds": fit_prior(won)["log_odds"], "tables": tables}


def parts(model: dict[str, Any], matrix: Matrix, columns: Sequence[Column], is_exact: bool = True) -> Numbers:
    """Rows x (columns + 1): what each column adds to the log odds, and last the same for everybody."""
    found = np.zeros((len(matrix), len(columns) + 1))
    if model["kind"] == "prior":
        found[:, -1] = model["log_odds"]
    elif model["kind"] == "naive_bayes":
        found[:, -1] = model["log_odds"]
        for place, table in enumerate(model["tables"]):
            values = matrix[:, place]
            known = ~np.isnan(values)
            level = _levels(values[known], table["edges"], table["is_code"])
            found[known, place] = np.append(table["log_ratio"], 0.0)[level]
    elif model["kind"] == "logistic":
        found[:, -1] = model["weights"][0]
        at = 1
        for place, shape in enumerate(model["shapes"]):
            design = _design(matrix[:, place : place + 1], [shape])
            found[:, place] = sum(
                (model["weights"][at + i] * column for i, column in enumerate(design)), np.zeros(len(matrix))
            )
            at += len(design)
    else:
        import xgboost as xgb

        booster = booster_of(model)
        data = xgb.DMatrix(matrix, missing=np.nan, feature_types=model["types"])
        found[:] = booster.predict(data, pred_contribs=True, approx_contribs=not is_exact)
    return found


def margins(model: dict[str, Any], matrix: Matrix, columns: Sequence[Column]) -> Numbers:
    """Log odds of each row, not calibrated."""
    if model["kind"] == "xgboost":
        found = booster_of(model).inplace_predict(matrix, predict_type="margin", missing=np.nan)
        return np.asarray(found, dtype=np.float64)
    return np.asarray(parts(model, matrix, columns).sum(axis=1))


def booster_of(model: dict[str, Any], threads: int = 0) -> Any:
    """The trees of a document, parsed once. Only documents whose hash was checked may come here."""
    import json

    import xgboost as xgb

    if "_booster" not in model:
        booster = xgb.Booster()
        booster.load_model(bytearray(json.dumps(model["booster"]).encode()))
        model["_booster"] = booster
    if threads:
        model["_booster"].set_param({"nthread": threads})
    return model["_booster"]


def _shape(values: Matrix, column: Column) -> dict[str, Any]:
    known = values[~np.isnan(values)].astype(np.float64)
    has_missing = bool(len(known) < len(values))
    if column.kind == "code":
        return {"levels": len(column.levels), "has_missing": has_missing}
    if not len(known):
        return {"low": 0.0, "high": 0.0, "mean": 0.0, "spread": 1.0, "has_missing": has_missing}
    low, high = (float(edge) for edge in np.quantile(known, [0.01, 0.99]))
    inside = np.clip(known, low, high)
    spread = float(inside.std()) or 1.0
    return {"low": low, "high": high, "mean": float(inside.mean()), "spread": spread, "has_missing": has_missing}


def _design(matrix: Matrix, shapes: Sequence[dict[str, Any]]) -> list[Numbers]:
    found: list[Numbers] = []
    for place, shape in enumerate(shapes):
        values = matrix[:, place].astype(np.float64)
        known = ~np.isnan(values)
        if "levels" in shape:
            found += [(values == level).astype(np.float64) for level in range(shape["levels"])]
        else:
            inside = np.clip(values, shape["low"], shape["high"])
            found.append(np.where(known, (inside - shape["mean"]) / shape["spread"], 0.0))
        if shape["has_missing"]:
            found.append((~known).astype(np.float64))
    return found


def _levels(values: Matrix, edges: Sequence[float], is_code: bool) -> np.ndarray[Any, np.dtype[np.int64]]:
    if is_code:
        return values.astype(np.int64)
    return np.searchsorted(np.asarray(edges), values, side="right").astype(np.int64)
