"""Boosted trees: shallow, signs held where they are known, stopped early on a later slice, a small seeded search."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aiqleads_pipeline.stages.learning.encoding import Column
from aiqleads_pipeline.stages.learning.types import Flags, Matrix

FIXED: dict[str, Any] = {
    "objective": "binary:logistic", "eval_metric": "logloss", "tree_method": "hist", "max_bin": 128, "verbosity": 0,
}  # fmt: skip
SETTINGS: tuple[dict[str, Any], ...] = (
    {"max_depth": 4, "eta": 0.08, "min_child_weight": 10, "subsample": 0.8, "colsample_bytree": 0.7, "lambda": 3.0},
    {"max_depth": 3, "eta": 0.10, "min_child_weight": 5, "subsample": 0.8, "colsample_bytree": 0.8, "lambda": 2.0},
    {"max_depth": 2, "eta": 0.15, "min_child_weight": 10, "subsample": 0.9, "colsample_bytree": 0.7, "lambda": 5.0},
    {"max_depth": 4, "eta": 0.08, "min_child_weight": 30, "subsample": 0.7, "colsample_bytree": 0.5, "lambda": 10.0},
)
MOST_TREES = 300
PATIENCE = 20
SEARCH_ROWS = 15_000
ROWS_WORTH_THREADS = 5_000  # below, threads cost more than they bring


@dataclass(frozen=True)
class Setting:
    """What the search chose: parameters and how many trees."""

    parameters: dict[str, Any]
    trees: int
    loss: float


def search(
    fit: tuple[Matrix, Flags], stop: tuple[Matrix, Flags], columns: Sequence[Column], seed: int, threads: int
) -> Setting:
    """The setting with the smallest loss on ``stop``, rows that come later (or were drawn) and were not fitted on.

    Settings compete on at most 15,000 rows; the winner's number of trees is found on all of them.
    """
    import xgboost as xgb

    def tried(parameters: dict[str, Any], rows: slice) -> Setting:
        booster = xgb.train(
            _full(parameters, columns, fit[1], seed, threads if len(fit[1][rows]) > ROWS_WORTH_THREADS else 1),
            _data((fit[0][rows], fit[1][rows]), columns),
            MOST_TREES,
            evals=[(_data(stop, columns), "stop")],
            early_stopping_rounds=PATIENCE,
            verbose_eval=False,
        )
        return Setting(parameters, booster.best_iteration + 1, float(booster.best_score))

    part = slice(max(len(fit[1]) - SEARCH_ROWS, 0), None)
    best = min((tried(parameters, part) for parameters in SETTINGS), key=lambda found: found.loss)
    return best if part.start == 0 else tried(best.parameters, slice(None))


def fit_trees(
    matrix: Matrix, won: Flags, columns: Sequence[Column], setting: Setting, seed: int, threads: int
) -> dict[str, Any]:
    """The trees of a setting on all rows given, as a document."""
    import xgboost as xgb

    parameters = _full(setting.parameters, columns, won, seed, threads if len(won) > ROWS_WORTH_THREADS else 1)
    booster = xgb.train(parameters, _data((matrix, won), columns), setting.trees)
    return {
        "kind": "xgboost",
        "types": _types(columns),
        "parameters": {**FIXED, **setting.parameters, "trees": setting.trees, "seed": seed},
        "booster": json.loads(booster.save_raw("json")),
    }


def quick_trees(matrix: Matrix, won: Flags, columns: Sequence[Column], seed: int, threads: int) -> Any:
    """A fast, rough booster: what the columns hold together. For questions about columns, not for scores."""
    import xgboost as xgb

    parameters = _full(SETTINGS[1] | {"eta": 0.2}, columns, won, seed, threads if len(won) > ROWS_WORTH_THREADS else 1)
    return xgb.train(parameters, _data((matrix, won), columns), 60)


def _full(parameters: dict[str, Any], columns: Sequence[Column], won: Flags, seed: int, threads: int) -> dict[str, Any]:
    usual = float(np.clip(won.mean(), 1e-4, 1 - 1e-4))
    signs = {"monotone_constraints": tuple(column.sign for column in columns)} if any(c.sign for c in columns) else {}
    run = {"seed": seed, "nthread": threads, "base_score": usual, "max_cat_to_onehot": 8}
    return {**FIXED, **parameters, **signs, **run}


def _data(rows: tuple[Matrix, Flags], columns: Sequence[Column]) -> Any:
    import xgboost as xgb

    return xgb.DMatrix(rows[0], rows[1].astype(np.float32), missing=np.nan, feature_types=_types(columns))


def _types(columns: Sequence[Column]) -> list[str]:
    return ["c" if column.kind == "code" else "q" for column in columns]
