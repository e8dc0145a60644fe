"""A trained model as one JSON document, and the answers that a document gives for tables like the one it learnt from.

Belongs here: what is stored with a model, and using it. Does not belong here: files and hashes (``resources.models``),
which must have been checked before a document comes here.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pyarrow as pa

from aiqleads_pipeline.stages.learning import candidates
from aiqleads_pipeline.stages.learning.calibration import calibrate
from aiqleads_pipeline.stages.learning.encoding import Column, to_matrix
from aiqleads_pipeline.stages.learning.recipes import Feature, Recipe
from aiqleads_pipeline.stages.learning.table import Untrainable, column_named
from aiqleads_pipeline.stages.learning.trainer import Trained, data_hash
from aiqleads_pipeline.stages.learning.types import Numbers

FORMAT = 2


def document_of(trained: Trained, seed: int, **more: Any) -> dict[str, Any]:
    """Everything that was fitted, with its figures; ``version`` begins with ``more['stamp']`` and ends with a hash.

    The kind that serves is the one stored; ``prior`` is a model like the others.
    """
    import xgboost as xgb

    fit = trained.fit
    stamp = more.pop("stamp", "model")
    kind = trained.serves if fit and trained.serves in fit.models else "prior"
    usual = float(trained.data.won.mean()) if trained.data.rows else 0.5
    document = {
        "format": FORMAT,
        "kind": kind,
        "label": trained.data.label_column,
        "time_column": trained.data.time_column,
        "features": [feature.name for feature in trained.data.features],
        "recipes": [recipe.as_json() for recipe in trained.data.recipes if _is_used(recipe, trained)],
        "columns": [column.as_json() for column in fit.columns] if fit else [],
        "model": _plain(fit.models[kind]) if fit else candidates.fit_prior(trained.data.won),
        "calibration": fit.calibrations[kind] if fit else {"method": "platt", "slope": 1.0, "intercept": 0.0},
        "usual_prob": usual,
        "rows": trained.data.rows,
        "won": int(trained.data.won.sum()),
        "slices": trained.slices,
        "metrics": trained.metrics,
        "splits": {split.name: split.measured for split in trained.splits},
        "leaks": [leak.as_json() for leak in trained.leaks],
        "allowed": [leak.column for leak in trained.allowed_leaks],
        "left_out": trained.data.left_out,
        "data_sha256": data_hash(trained.data),
        "seed": seed,
        "library_versions": {"xgboost": xgb.__version__, "numpy": np.__version__, "pyarrow": pa.__version__},
        **more,
    }
    document = json.loads(json.dumps(document, default=float).replace("NaN", "null"))
    told_apart = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    return {"version": f"{stamp}-{told_apart[:12]}", **document}


def answers_of(document: dict[str, Any], table: pa.Table) -> Numbers:
    """Probabilities for a table of text with the columns that the model learnt from.

    Raises:
        Untrainable: a column is missing, or the document is of another format.
    """
    if document.get("format") != FORMAT:
        raise Untrainable(f"model format {document.get('format')!r}; this release reads {FORMAT}")
    recipes = [Recipe(**{**entry, "marks": tuple(entry["marks"])}) for entry in document["recipes"]]
    by_name: dict[str, Feature] = {}
    times = None
    if document["time_column"] and any(recipe.kind == "date" for recipe in recipes):
        name = column_named(table.column_names, document["time_column"])
        timed = next((recipe for recipe in recipes if recipe.column == name), None)
        times = timed.days(_cells(table, name)) if timed else None
    for recipe in recipes:
        cells = _cells(table, column_named(table.column_names, recipe.column))
        own = None if recipe.column == document["time_column"] else times
        by_name |= {feature.name: feature for feature in recipe.read(cells, own)}
    missing = [name for name in document["features"] if name not in by_name]
    if missing:
        raise Untrainable(f"the table can't give what the model wants: {', '.join(missing)}")
    columns = [Column.from_json(entry) for entry in document["columns"]]
    if not columns:
        return np.full(table.num_rows, document["usual_prob"])
    matrix = to_matrix([by_name[name] for name in document["features"]], columns)
    return calibrate(document["calibration"], candidates.margins(document["model"], matrix, columns))


def _cells(table: pa.Table, name: str) -> pa.Array:
    return pa.concat_arrays(table[name].chunks) if table.num_rows else pa.array([], pa.string())


def _is_used(recipe: Recipe, trained: Trained) -> bool:
    return any(feature.column == recipe.column for feature in trained.data.features)


def _plain(model: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in model.items() if not name.startswith("_")}
