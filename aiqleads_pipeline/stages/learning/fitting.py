"""One fit: from rows in their order to calibrated candidates. The same procedure for folds, splits and what serves.

Belongs here: slices, encoding, the candidates, calibration. Does not belong here: judging (``trainer``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from aiqleads_pipeline.stages.learning import candidates, trees
from aiqleads_pipeline.stages.learning.calibration import calibrate, fit_calibration
from aiqleads_pipeline.stages.learning.encoding import Column, fit_columns, to_matrix, to_training_matrix
from aiqleads_pipeline.stages.learning.table import Labelled
from aiqleads_pipeline.stages.learning.types import Codes, Numbers

FIT_SHARE, STOP_SHARE = 0.70, 0.15  # the rest calibrates
KINDS = ("xgboost", "logistic", "naive_bayes", "prior")


@dataclass(frozen=True)
class Fit:
    """The candidates of one fit, each with its calibration, over one encoding."""

    columns: list[Column]
    models: dict[str, dict[str, Any]]
    calibrations: dict[str, dict[str, Any]]
    slices: dict[str, int]

    def answers(self, data: Labelled, kind: str) -> Numbers:
        """Probabilities of rows."""
        return self.all_answers(data)[kind]

    def all_answers(self, data: Labelled) -> dict[str, Numbers]:
        """Probabilities of rows by every candidate; naive Bayes also as it answers by itself."""
        matrix = to_matrix(data.features, self.columns)
        found = {}
        for kind, model in self.models.items():
            margins = candidates.margins(model, matrix, self.columns)
            found[kind] = calibrate(self.calibrations[kind], margins)
            if kind == "naive_bayes":
                found["naive_bayes_raw"] = calibrate(AS_IT_IS, margins)
        return found


AS_IT_IS = {"method": "platt", "slope": 1.0, "intercept": 0.0}


def fit_all(data: Labelled, seed: int, threads: int) -> Fit:
    """Fit every candidate: on the first slice, stopped on the next, calibrated on the last; in time where known."""
    order = np.arange(data.rows) if data.is_timed else np.random.default_rng(seed).permutation(data.rows)
    fit_end, stop_end = int(FIT_SHARE * data.rows), int((FIT_SHARE + STOP_SHARE) * data.rows)
    early, later = data.taken(np.sort(order[:fit_end])), data.taken(np.sort(order[fit_end:stop_end]))
    both, last = data.taken(np.sort(order[:stop_end])), data.taken(np.sort(order[stop_end:]))
    models: dict[str, dict[str, Any]] = {"prior": candidates.fit_prior(both.won)}
    columns = fit_columns(both.features, both.won)
    if data.features and _has_both(early) and _has_both(both):
        matrix = to_training_matrix(both.features, columns, both.won, seed)
        models["logistic"] = candidates.fit_logistic(matrix, both.won, columns)
        models["naive_bayes"] = candidates.fit_naive_bayes(matrix, both.won, columns)
        setting = _searched(early, later, seed, threads)
        models["xgboost"] = trees.fit_trees(matrix, both.won, columns, setting, seed, threads)
    judged = to_matrix(last.features, columns)
    calibrations = {
        kind: AS_IT_IS if kind == "prior" else fit_calibration(candidates.margins(model, judged, columns), last.won)
        for kind, model in models.items()
    }
    slices = {"fit": both.rows, "of_it_searched": early.rows, "stopped_on": later.rows, "calibrated_on": last.rows}
    return Fit(columns, models, calibrations, slices)


def _searched(early: Labelled, later: Labelled, seed: int, threads: int) -> trees.Setting:
    columns = fit_columns(early.features, early.won)
    fitted = to_training_matrix(early.features, columns, early.won, seed)
    stop = to_matrix(later.features, columns)
    return trees.search((fitted, early.won), (stop, later.won), columns, seed, threads)


def _has_both(data: Labelled) -> bool:
    return bool(data.won.any() and not data.won.all())


def stratified_folds(won: Codes, count: int, seed: int) -> Codes:
    """A fold for each row, drawn so that all folds have the same share of won leads."""
    random = np.random.default_rng(seed)
    folds = np.empty(len(won), dtype=np.int64)
    for side in (0, 1):
        rows = np.flatnonzero(won == side)
        folds[random.permutation(rows)] = np.arange(len(rows)) % count
    return folds
