"""Trains the conversion model on closed leads and judges whether it may score.

Belongs here: splits in time, the fit, the calibration, the gate of soundness. Does not belong here: storing the model
(``resources.models``) and deciding when to train (``automation``).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from aiqleads_pipeline.stages.conversion.features import (
    CATEGORIES,
    FEATURES,
    NUMBERS,
    feature_rows,
    fit_categories,
    matrix,
)
from aiqleads_pipeline.stages.conversion.model import FORMAT, ConversionModel, calibrated, margins_of
from aiqleads_pipeline.stages.learning import measures
from aiqleads_pipeline.stages.learning.measures import Flags

if TYPE_CHECKING:
    import pyarrow as pa
    import xgboost as xgb
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

LEAST_OUTCOMES = 200
LEAST_OF_EACH = 30  # won, and not won
LEAST_AUC = 0.6
LEAST_AUC_BOUND = 0.5
MOST_ROWS = 500_000  # the latest ones
TREES = 120
ROWS_WORTH_THREADS = 20_000  # below, threads cost more than they bring
PARAMETERS: dict[str, Any] = {
    "objective": "binary:logistic",
    "tree_method": "hist",
    "max_depth": 3,
    "eta": 0.1,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "min_child_weight": 5,
    "lambda": 2.0,
    "max_cat_to_onehot": 8,
}


@dataclass(frozen=True)
class Unsound:
    """Why there is no model, in words, with what was measured."""

    reason: str
    metrics: dict[str, float]


@dataclass(frozen=True)
class TrainedModel:
    """A sound model: the JSON document to store, and the model itself."""

    version: str
    document: dict[str, Any]
    model: ConversionModel
    metrics: dict[str, float]


@dataclass(frozen=True)
class _Slices:
    """Rows in the order they were closed: fitted on the first, calibrated on the next, judged on the last."""

    values: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    won: Flags
    fit_end: int
    calibrate_end: int

    def counts(self) -> list[tuple[int, int]]:
        """Won and not won of each slice."""
        edges = [slice(0, self.fit_end), slice(self.fit_end, self.calibrate_end), slice(self.calibrate_end, None)]
        return [(int(self.won[edge].sum()), int((~self.won[edge]).sum())) for edge in edges]


def train(con: DuckDBPyConnection, closed: DuckDBPyRelation, seed: int = 0) -> TrainedModel | Unsound:
    """Train on closed leads and judge the model on the latest fifth of them.

    Args:
        con: a connection of ``open_engine``.
        closed: ENRICHED_LEADS of closed leads with ``result`` (``won``, ``lost``, ``returned``) and ``closed_at``.
        seed: of the row and column samples; the same rows and seed give the same model.
    """
    rows = feature_rows(con, closed, None).order("closed_at DESC, lead_id").limit(MOST_ROWS).to_arrow_table()
    rows = rows.take(np.arange(rows.num_rows)[::-1])
    won: Flags = np.asarray(rows["result"].to_numpy(zero_copy_only=False) == "won", dtype=np.bool_)
    counted = {"outcomes_count": float(len(won)), "won_count": float(won.sum())}
    if len(won) < LEAST_OUTCOMES:
        return Unsound(f"{len(won)} outcomes; at least {LEAST_OUTCOMES} are needed", counted)
    if min(won.sum(), (~won).sum()) < LEAST_OF_EACH:
        what = f"{int(won.sum())} won and {int((~won).sum())} not; at least {LEAST_OF_EACH} of each are needed"
        return Unsound(what, counted)
    fit_end, calibrate_end = int(len(won) * 0.6), int(len(won) * 0.8)
    categories = fit_categories(rows.slice(0, fit_end))
    slices = _Slices(matrix(rows, FEATURES, categories), won, fit_end, calibrate_end)
    if min(count for both in slices.counts() for count in both) < 2:
        return Unsound("the outcomes came in blocks: a part of the time has won or lost leads only", counted)
    booster = _fit(con, slices, seed)
    return _judge(booster, slices, rows, categories, counted, seed)


def _fit(con: DuckDBPyConnection, slices: _Slices, seed: int) -> xgb.Booster:
    import xgboost as xgb

    threads = con.sql("SELECT current_setting('threads')").fetchall()[0][0]
    data = xgb.DMatrix(
        slices.values[: slices.fit_end],
        slices.won[: slices.fit_end].astype(np.float32),
        missing=np.nan,
        feature_types=["c" if name in CATEGORIES else "q" for name in FEATURES],
    )
    parameters = {
        **PARAMETERS,
        "seed": seed,
        "nthread": threads if slices.fit_end > ROWS_WORTH_THREADS else 1,
        "monotone_constraints": tuple(NUMBERS.get(name, 0) for name in FEATURES),
        "base_score": float(slices.won[: slices.fit_end].mean()),
    }
    return xgb.train(parameters, data, TREES)


def _judge(
    booster: xgb.Booster,
    slices: _Slices,
    rows: pa.Table,
    categories: dict[str, list[str]],
    counted: dict[str, float],
    seed: int,
) -> TrainedModel | Unsound:
    margins = margins_of(booster, slices.values[slices.fit_end :])
    split = slices.calibrate_end - slices.fit_end
    slope, intercept = measures.fit_platt(margins[:split], slices.won[slices.fit_end : slices.calibrate_end])
    answers, later = calibrated(margins[split:], slope, intercept), slices.won[slices.calibrate_end :]
    usual = float(slices.won[: slices.calibrate_end].mean())
    metrics = {
        **counted,
        "auc": measures.auc(answers, later),
        "auc_lower_bound": measures.auc_lower_bound(answers, later, seed),
        "brier": measures.brier(answers, later),
        "brier_of_usual_prob": measures.brier(np.full(len(later), usual), later),
        "calibration_error": measures.calibration_error(answers, later),
        "usual_prob": usual,
    }
    reason = _why_unsound(metrics, slope)
    if reason:
        return Unsound(reason, metrics)
    document = _document(booster, categories, (slope, intercept), metrics, rows)
    return TrainedModel(document["version"], document, ConversionModel.load(document), metrics)


def _why_unsound(metrics: dict[str, float], slope: float) -> str | None:
    if not metrics["auc"] > LEAST_AUC:
        return (
            f"it ranks later outcomes hardly better than chance: AUC {metrics['auc']:.3f}, above {LEAST_AUC} is needed"
        )
    if not metrics["auc_lower_bound"] > LEAST_AUC_BOUND:
        bound = metrics["auc_lower_bound"]
        return f"its ranking may be chance: AUC may be as low as {bound:.3f}, above {LEAST_AUC_BOUND} is needed"
    if slope <= 0:
        return "calibration would turn its ranking around"
    if not metrics["brier"] < metrics["brier_of_usual_prob"]:
        worse = f"Brier {metrics['brier']:.4f} against {metrics['brier_of_usual_prob']:.4f}"
        return f"its probabilities are no better than the usual rate for everybody: {worse}"
    return None


def _document(
    booster: xgb.Booster,
    categories: dict[str, list[str]],
    calibration: tuple[float, float],
    metrics: dict[str, float],
    rows: pa.Table,
) -> dict[str, Any]:
    import duckdb
    import xgboost as xgb

    first, last = (_utc(rows["closed_at"][i].as_py()) for i in (0, rows.num_rows - 1))
    document = {
        "format": FORMAT,
        "features": list(FEATURES),
        "categories": categories,
        "calibration": {"method": "platt", "slope": calibration[0], "intercept": calibration[1]},
        "usual_prob": metrics["usual_prob"],
        "metrics": metrics,
        "training_window": {"first_closed_at": first.isoformat(), "last_closed_at": last.isoformat()},
        "parameters": {**PARAMETERS, "trees": TREES},
        "library_versions": {"xgboost": xgb.__version__, "duckdb": duckdb.__version__, "numpy": np.__version__},
        "booster": json.loads(booster.save_raw("json")),
    }
    told_apart = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    return {"version": f"{last:%Y%m%dT%H%M%S}-{told_apart[:12]}", **document}


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
