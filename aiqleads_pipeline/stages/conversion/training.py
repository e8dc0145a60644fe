"""Trains the conversion model on closed leads and judges whether it may score.

Belongs here: our leads' features and outcomes in the shape that ``stages.learning`` learns from, and the document that
comes of it. Does not belong here: the learning itself, storing the model (``resources.models``) and deciding when to
train (``automation``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from aiqleads_pipeline.stages.conversion.by_rules import rules_probabilities
from aiqleads_pipeline.stages.conversion.features import CATEGORIES, FEATURES, NUMBERS, feature_rows, fit_categories
from aiqleads_pipeline.stages.conversion.model import FORMAT, ConversionModel
from aiqleads_pipeline.stages.learning import measures
from aiqleads_pipeline.stages.learning.comparing import Verdict, compare
from aiqleads_pipeline.stages.learning.document import document_of
from aiqleads_pipeline.stages.learning.recipes import Feature
from aiqleads_pipeline.stages.learning.report import html_page, model_card
from aiqleads_pipeline.stages.learning.table import Labelled
from aiqleads_pipeline.stages.learning.trainer import LEAST_OF_EACH, Trained, border_of, learn
from aiqleads_pipeline.stages.learning.types import Flags

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

    from aiqleads_pipeline.rules.scoring import ScoringRules

LEAST_OUTCOMES = 200
MOST_ROWS = 500_000  # the latest ones


@dataclass(frozen=True)
class Unsound:
    """Why there is no model, in words, with what was measured."""

    reason: str
    metrics: dict[str, float]
    page: str = ""
    card: str = ""


@dataclass(frozen=True)
class TrainedModel:
    """A sound model: the JSON document to store, the model itself, and its report (HTML page and Markdown card)."""

    version: str
    document: dict[str, Any]
    model: ConversionModel
    metrics: dict[str, float]
    page: str = ""
    card: str = ""
    later: dict[str, Any] = field(default_factory=dict)  # rows, won, answers, segments of the latest outcomes


def train(
    con: DuckDBPyConnection, closed: DuckDBPyRelation, seed: int = 0, rules: ScoringRules | None = None
) -> TrainedModel | Unsound:
    """Train on closed leads, in the order they were closed, and judge on the latest fifth of them.

    Args:
        con: a connection of ``open_engine``.
        closed: ENRICHED_LEADS of closed leads with ``result`` (``won``, ``lost``, ``returned``) and ``closed_at``.
        seed: of the row and column samples; the same rows and seed give the same model.
        rules: of ``load_scoring``: a baseline that the model must beat; None where there are none to compare with.
    """
    rows = feature_rows(con, closed, None).order("closed_at DESC, lead_id").limit(MOST_ROWS).to_arrow_table()
    rows = rows.take(np.arange(rows.num_rows)[::-1])
    won: Flags = np.asarray(rows["result"].to_numpy(zero_copy_only=False) == "won", dtype=np.bool_)
    counted = {"outcomes_count": float(len(won)), "won_count": float(won.sum())}
    refusal = _too_little(won)
    if refusal:
        return Unsound(refusal, counted)
    categories = fit_categories(rows)
    data = Labelled(_features(rows, categories), won, is_timed=True, label_column="result")
    threads = int(con.sql("SELECT current_setting('threads')").fetchall()[0][0])
    by_rules = rules_probabilities(con, closed, rows["lead_id"], rules, border_of(len(won))) if rules else None
    trained = learn(data, seed=seed, threads=threads, rules=by_rules)
    return _judged(trained, rows, categories, counted, seed)


def features_of(rows: pa.Table, document: dict[str, Any]) -> list[Feature]:
    """The features of rows as a stored model knows them."""
    found = {feature.name: feature for feature in _features(rows, document["categories"])}
    return [found[name] for name in document["features"]]


def compare_with(champion: ConversionModel, found: TrainedModel) -> Verdict:
    """Champion and challenger on the latest outcomes that neither was fitted on.

    Raises:
        ModelUnusable: the champion can't answer.
    """
    if not found.later:
        return Verdict(False, "the latest outcomes hold too few won or lost leads to compare", {}, {})
    rows, won, answers = found.later["rows"], found.later["won"], found.later["answers"]
    end = datetime.fromisoformat(champion.document["training_window"]["last_closed_at"])
    is_new = np.array([_utc(moment) > end for moment in rows["closed_at"].to_pylist()], dtype=np.bool_)
    given = champion.probabilities(rows)
    return compare(won[is_new], given[is_new], answers[is_new], np.asarray(rows["source"].to_pylist())[is_new].tolist())


def _too_little(won: Flags) -> str | None:
    if len(won) < LEAST_OUTCOMES:
        return f"{len(won)} outcomes; at least {LEAST_OUTCOMES} are needed"
    if min(won.sum(), (~won).sum()) < LEAST_OF_EACH:
        what = f"{int(won.sum())} won and {int((~won).sum())} not"
        return f"{what}; at least {LEAST_OF_EACH} of each are needed"
    parts = (won[: int(len(won) * 0.6)], won[int(len(won) * 0.6) : int(len(won) * 0.8)], won[int(len(won) * 0.8) :])
    if min(min(part.sum(), (~part).sum()) for part in parts) < 2:
        return "the outcomes came in blocks: a part of the time has won or lost leads only"
    return None


def _features(rows: pa.Table, categories: dict[str, list[str]]) -> list[Feature]:
    """Features of the arrow rows; a category that is rare is unknown."""
    import pyarrow as pa
    import pyarrow.compute as pc

    features = []
    for name in FEATURES:
        column = rows[name].combine_chunks()
        if name in NUMBERS:
            numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(np.float64)
            features.append(Feature(name, name, numbers=numbers, sign=NUMBERS[name]))
            continue
        words = categories[name]
        codes = pc.index_in(column, value_set=pa.array(words, pa.string()), skip_nulls=True).fill_null(-1)
        codes = codes.to_numpy(zero_copy_only=False).astype(np.int64)
        features.append(Feature(name, name, codes=codes, words=list(words)))
    return features


def _judged(
    trained: Trained, rows: pa.Table, categories: dict[str, list[str]], counted: dict[str, float], seed: int
) -> TrainedModel | Unsound:
    first, last = (_utc(rows["closed_at"][i].as_py()) for i in (0, rows.num_rows - 1))
    document = document_of(
        trained,
        seed,
        stamp=f"{last:%Y%m%dT%H%M%S}",
        categories={name: words for name, words in categories.items() if name in CATEGORIES},
        training_window={"first_closed_at": first.isoformat(), "last_closed_at": last.isoformat()},
    )
    page, card = html_page(trained, document), model_card(trained, document)
    metrics = {**counted, **_metrics(trained)}
    if not trained.is_model:
        return Unsound(trained.why, metrics, page, card)
    if trained.serves == "rules":
        return Unsound(f"the rules are not beaten: {trained.why}", metrics, page, card)
    document = {**document, "format": FORMAT, "parameters": document["model"].get("parameters", {}), "metrics": metrics}
    return TrainedModel(
        document["version"], document, ConversionModel.load(document), metrics, page, card, _later(trained, rows)
    )


def _metrics(trained: Trained) -> dict[str, float]:
    if not trained.splits:
        return {"auc": 0.5}
    split = trained.splits[0]
    kind = trained.serves if trained.is_model else "xgboost"
    told = split.measured.get(kind, split.measured["prior"])
    usual = float(trained.data.won.mean())
    return {
        "auc": told["auc"]["value"],
        "auc_lower_bound": told["auc"]["low"],
        "average_precision": told["average_precision"]["value"],
        "brier": told["brier"]["value"],
        "brier_of_usual_prob": measures.brier(np.full(len(split.won), usual), split.won),
        "calibration_error": told["ece"]["value"],
        "lift_at_10": told["lift_at_10"]["value"],
        "usual_prob": usual,
        **({"auc_of_rules": split.measured["rules"]["auc"]["value"]} if "rules" in split.measured else {}),
    }


def _later(trained: Trained, rows: pa.Table) -> dict[str, Any]:
    """The latest outcomes with the answers of models of those before: what a champion is compared on."""
    split = next((each for each in trained.splits if each.name == "later"), None)
    if split is None:
        return {}
    return {
        "rows": rows.slice(rows.num_rows - len(split.won)),
        "won": split.won,
        "answers": split.answers[trained.serves],
    }


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
